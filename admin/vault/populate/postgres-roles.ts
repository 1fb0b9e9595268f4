import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { databaseOf } from '../derive/part-secrets.ts';
import type { VaultDocument } from '../document.ts';
import { vaultPrefix } from '../names.ts';

/** Rounds of PBKDF2, as PostgreSQL's own clients take them. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/**
 * Derives the verifier by which PostgreSQL knows a password: what `\password` of psql sends in its place. The salt follows
 * from role and password at the price of the verifier itself, so that the same password always has the same verifier.
 *
 * @param password visible ASCII, which SASLprep leaves as it is
 * @returns `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY` (RFC 5802, RFC 7677; pg_authid.rolpassword)
 */
export function deriveScramVerifier(role: string, password: Uint8Array): string {
  const salt = pbkdf2Sync(password, `holdfast-postgres-salt/1 ${role}`, ITERATIONS, SALT_BYTES, 'sha256');
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, 'sha256');
  const mac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(mac('Client Key')).digest();
  const keys = [storedKey, mac('Server Key')].map((key) => key.toString('base64')).join(':');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${keys}`;
}

/**
 * Writes what the administrator of the database runs once with psql, before stage 2: for each node a role and a database of
 * its own. A second run changes nothing, and after a rotation it brings the new passwords.
 *
 * @param passwords those in force, by the numbers of their nodes
 */
export function renderPostgresRoles(
  document: VaultDocument,
  passwords: ReadonlyMap<number, Uint8Array>,
): string {
  return [
    `-- Roles and databases of the vault ${vaultPrefix(document)}, for the administrator of the database: psql -f THIS_FILE.`,
    '-- A second run changes nothing. No password stands here, but the verifiers by which the server knows them (SCRAM, RFC',
    '-- 5802): keep the file to those who administrate the database, and delete it afterwards.',
    '\\set ON_ERROR_STOP on',
    '\\set QUIET on',
    ...[...passwords].flatMap(([node, password]) => renderRole(databaseOf(document, node), node, password)),
    '',
  ].join('\n');
}

function renderRole(name: string, node: number, password: Uint8Array): readonly string[] {
  return [
    '',
    `-- Node ${node}.`,
    `SELECT 'CREATE ROLE ${name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') \\gexec`,
    `ALTER ROLE ${name} LOGIN PASSWORD '${deriveScramVerifier(name, password)}';`,
    '-- An administrator who is no superuser makes databases for roles that they are a member of.',
    `GRANT ${name} TO CURRENT_USER;`,
    `SELECT 'CREATE DATABASE ${name} OWNER ${name}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '${name}') \\gexec`,
    '-- A database of this name that somebody else owns is refused: its owner could destroy the records of the node.',
    'DO $$ BEGIN',
    `  IF EXISTS (SELECT FROM pg_database WHERE datname = '${name}' AND datdba <> '${name}'::regrole) THEN`,
    `    RAISE EXCEPTION 'database ${name} is there, and is not owned by the role of that name';`,
    '  END IF;',
    'END $$;',
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC;`,
    `REVOKE ${name} FROM CURRENT_USER;`,
  ];
}
