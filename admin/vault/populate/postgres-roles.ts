import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { databaseOf } from '../derive/part-secrets.ts';
import type { VaultDocument } from '../document.ts';
import { vaultPrefix } from '../names.ts';

/** Rounds of PBKDF2, as PostgreSQL's own clients take them. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Password of a node's role, and which one it is. */
export interface RolePassword {
  /** Visible ASCII, which SASLprep leaves as it is. */
  readonly password: Buffer;
  /** Id of the version of the secret that has it. */
  readonly version: string;
}

/**
 * Derives the verifier by which PostgreSQL knows a password: what `\password` of psql sends in its place. The server shows the
 * salt to whoever names the role, so that nothing of the password is in it: it follows from the role and the version of the
 * secret, and a second run has the same.
 *
 * @returns `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY` (RFC 5802, RFC 7677; pg_authid.rolpassword)
 */
export function deriveScramVerifier(role: string, { password, version }: RolePassword): string {
  const salt = createHash('sha256')
    .update(JSON.stringify(['holdfast-postgres-salt/1', role, version]))
    .digest()
    .subarray(0, SALT_BYTES);
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
  passwords: ReadonlyMap<number, RolePassword>,
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

function renderRole(name: string, node: number, password: RolePassword): readonly string[] {
  return [
    '',
    `-- Node ${node}.`,
    `SELECT 'CREATE ROLE ${name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') \\gexec`,
    '-- Somebody else may have made the role beforehand: its members could take its name, and destroy the records of the node.',
    'DO $$ DECLARE others text; BEGIN',
    `  SELECT string_agg(pg_get_userbyid(CASE WHEN member = '${name}'::regrole THEN roleid ELSE member END), ', ') INTO others`,
    `    FROM pg_auth_members WHERE member = '${name}'::regrole`,
    `      OR (roleid = '${name}'::regrole AND pg_get_userbyid(member) <> CURRENT_USER);`,
    '  IF others IS NOT NULL THEN',
    `    RAISE EXCEPTION 'role ${name} has members, or is one, and is to be by itself: %', others;`,
    '  END IF;',
    `  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}'`,
    '      AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)) THEN',
    `    RAISE EXCEPTION 'role ${name} may more than a node needs: SUPERUSER, CREATEROLE, CREATEDB, REPLICATION or BYPASSRLS';`,
    '  END IF;',
    'END $$;',
    `SELECT 'CREATE DATABASE ${name}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '${name}') \\gexec`,
    'BEGIN;',
    '-- The same of its database: its owner, or whoever may connect to it.',
    'DO $$ DECLARE others text; BEGIN',
    `  IF EXISTS (SELECT FROM pg_database WHERE datname = '${name}'`,
    `      AND datdba <> '${name}'::regrole AND pg_get_userbyid(datdba) <> CURRENT_USER) THEN`,
    `    RAISE EXCEPTION 'database ${name} is there, and is not owned by the role of that name';`,
    '  END IF;',
    "  SELECT string_agg(DISTINCT pg_get_userbyid(grantee), ', ') INTO others",
    `    FROM pg_database, aclexplode(datacl) WHERE datname = '${name}'`,
    `      AND grantee NOT IN (0, '${name}'::regrole) AND pg_get_userbyid(grantee) <> CURRENT_USER;`,
    '  IF others IS NOT NULL THEN',
    `    RAISE EXCEPTION 'database ${name} is open to others than the role of that name: %', others;`,
    '  END IF;',
    'END $$;',
    `ALTER ROLE ${name} LOGIN PASSWORD '${deriveScramVerifier(name, password)}';`,
    '-- An administrator who is no superuser gives databases to roles that they are a member of: until the end of this alone.',
    `GRANT ${name} TO CURRENT_USER;`,
    `ALTER DATABASE ${name} OWNER TO ${name};`,
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC;`,
    `REVOKE ${name} FROM CURRENT_USER;`,
    'COMMIT;',
  ];
}
