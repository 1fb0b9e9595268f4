import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  digestVault,
  locateVault,
  MAX_VAULT_BYTES,
  parseVault,
  renderVaultFile,
  rolesOf,
  VaultError,
} from '../../../admin/vault/index.ts';
import { encodeVault, makeSampleVault, type SampleVault } from './sample-vault.ts';

const parse = (change?: (vault: SampleVault) => void) => parseVault(encodeVault(makeSampleVault(change)));

function refusalOf(bytes: Uint8Array): { code: string; details: Record<string, unknown> } {
  try {
    parseVault(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(VaultError);
    const { code, details } = error as VaultError;
    return { code, details };
  }
  return { code: 'TAKEN', details: {} };
}
const refusal = (change: (vault: SampleVault) => void) => refusalOf(encodeVault(makeSampleVault(change)));
const template = () =>
  renderVaultFile({
    namespace: 'acme',
    environment: 'production',
    region: 'eu-central-1',
    threshold: 2,
    release: { version: '1.0.0', from: './release' },
    infrastructure: {},
    nodes: [{}, {}, {}],
  });

const HAS_PYYAML = spawnSync('python3', ['-c', 'import yaml']).status === 0;
if (!HAS_PYYAML) process.stderr.write('SKIPPED: python3 has no yaml\n');

describe('vault.yaml', () => {
  it('is read with every default, and names its roles', () => {
    const document = parse();
    expect(rolesOf(document)).toEqual(['infrastructure', 'node-1', 'node-2', 'node-3']);
    expect(document.parts).toEqual({
      store: 'sqlite',
      nats: null,
      witnesses: null,
      peerWitnesses: null,
      gateways: [],
    });
    expect(parse((vault) => void delete (vault as Record<string, unknown>)['parts']).parts.store).toBe(
      'sqlite',
    );
  });

  it.skipIf(!HAS_PYYAML)('is read as another reader of YAML reads it', () => {
    const text = template();
    const program = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
    const { stdout } = spawnSync('python3', ['-c', program], { input: text, encoding: 'utf8' });
    expect(locateVault(Buffer.from(text)).document).toMatchObject(JSON.parse(stdout) as object);
  });

  it('has the digest that sha384sum gives', () => {
    const bytes = Buffer.from(template());
    const { stdout } = spawnSync('sha384sum', { input: bytes, encoding: 'utf8' });
    expect(digestVault(bytes)).toBe(stdout.slice(0, 96));
    expect(digestVault(bytes)).toBe(createHash('sha384').update(bytes).digest('hex'));
  });

  it.each<[string, (vault: SampleVault) => void, RegExp]>([
    ['an unknown field', (vault) => void (vault['colour'] = 'red'), /colour: unknown field$/],
    [
      'an unknown field of a node',
      (vault) => void (vault.nodes[1] = { ...vault.nodes[1], pcr: 1 } as never),
      /line \d+: nodes\.1\.pcr: unknown field$/,
    ],
    [
      'a field that is missing',
      (vault) => void delete vault.infrastructure['account'],
      /infrastructure\.account: the field is missing$/,
    ],
    [
      'an account without quotes',
      (vault) => void (vault.infrastructure['account'] = 444455556666),
      /in quotes$/,
    ],
    [
      'an account of eleven digits',
      (vault) => void (vault.infrastructure['account'] = '44445555666'),
      /12 digits/,
    ],
    [
      'a session in the place of a role',
      (vault) => void (vault.infrastructure.admins[0] = 'arn:aws:sts::444455556666:assumed-role/a/b'),
      /expected the ARN of an IAM role/,
    ],
    [
      'the root of an account',
      (vault) => void (vault.infrastructure.admins[0] = 'arn:aws:iam::444455556666:root'),
      /expected the ARN of an IAM role/,
    ],
    ['everybody', (vault) => void (vault.infrastructure.admins[0] = '*'), /expected the ARN of an IAM role/],
    [
      'a pattern of roles',
      (vault) => void (vault.infrastructure.admins[0] = 'arn:aws:iam::444455556666:role/*'),
      /expected the ARN of an IAM role/,
    ],
    [
      'a version that names another release tomorrow',
      (vault) => void (vault.release['version'] = 'latest'),
      /expected a version/,
    ],
    [
      'a release over plain http',
      (vault) => void (vault.release['from'] = 'http://example/releases'),
      /expected s3:/,
    ],
    [
      'nodes that begin at 0',
      (vault) => void (vault.nodes[0] = { ...vault.nodes[0], node: 0 } as never),
      /nodes/,
    ],
    [
      'two nodes of one number',
      (vault) => void (vault.nodes[1] = { ...vault.nodes[1], node: 1 } as never),
      /numbered 1, 2, 3/,
    ],
    [
      'a rule that a configuration could not have',
      (vault) => void delete vault.tenant.rules[0]?.['rate'],
      /tenant\.rules\.0\.rate: the field is missing$/,
    ],
    [
      'servers without TLS',
      (vault) => void (vault.parts['nats'] = { servers: ['nats://a:4222'] }),
      /expected tls/,
    ],
    ['no node at all', (vault) => void (vault.nodes = []), /nodes/],
  ])('refuses %s, and says where', (_, change, expected) => {
    const { code, details } = refusal(change);
    expect(code).toBe('VAULT_MALFORMED');
    expect(details['fields']).toContainEqual(expect.stringMatching(expected));
  });

  it('says the line of a fault in a file that a person wrote', () => {
    const lines = template().split('\n');
    const index = lines.findIndex((line) => line.startsWith('threshold:'));
    lines[index] = 'threshold: two';
    expect(refusalOf(Buffer.from(lines.join('\n')))).toMatchObject({
      code: 'VAULT_MALFORMED',
      details: { line: index + 1, column: 1 },
    });
  });

  it.each([
    ['an alias', 'a: &x 1\nb: *x\n'],
    ['an anchor', 'a: &x 1\n'],
    ['a tag', 'a: !!js/function 1\n'],
    ['a tag of YAML', 'a: !!binary aGk=\n'],
    ['two documents', 'a: 1\n---\nb: 1\n'],
    ['a key twice', 'a: 1\na: 2\n'],
    ['a merge key', 'a: { <<: { b: 1 } }\n'],
    ['a key that is a list', '? [a]\n: 1\n'],
    ['a key that is a number', '1: 2\n'],
    ['a list', '[]'],
    ['nothing', ''],
    ['a comment alone', '# nothing\n'],
    ['text', 'neither map nor list'],
    ['another format', 'format: holdfast-vault/2\n'],
    ['deep lists', '['.repeat(3_000) + ']'.repeat(3_000)],
    ['deep maps', '{a: '.repeat(3_000) + '1' + '}'.repeat(3_000)],
    ['a tab as indentation', 'a:\n\t- 1\n'],
    ['a byte order mark', '\uFEFFformat: holdfast-vault/1\n'],
    ['__proto__', '__proto__: { format: holdfast-vault/1 }\n'],
  ])('refuses %s', (_, text) => {
    expect(refusalOf(Buffer.from(text)).code).toBe('VAULT_MALFORMED');
  });

  it('refuses bytes that are not UTF-8, and more of them than it takes', () => {
    expect(refusalOf(Buffer.from([0x61, 0x3a, 0xff])).code).toBe('VAULT_MALFORMED');
    const rest = Buffer.alloc(MAX_VAULT_BYTES + 1 - encodeVault(makeSampleVault()).length, 0x20);
    const bytes = Buffer.concat([encodeVault(makeSampleVault()), rest]);
    expect(refusalOf(bytes.subarray(0, MAX_VAULT_BYTES)).code).toBe('TAKEN');
    expect(refusalOf(bytes).code).toBe('VAULT_MALFORMED');
  });

  it('refuses every prefix of itself', () => {
    const bytes = encodeVault(makeSampleVault());
    // JSON ends where its last bracket is: each prefix is open. Each 397th is enough to see every construct cut.
    for (let length = 0; length < bytes.length - 1; length += 397) {
      expect(refusalOf(bytes.subarray(0, length)).code).toBe('VAULT_MALFORMED');
    }
  });

  it.each([
    ['a private key in PEM', '-----BEGIN PRIVATE KEY-----'],
    ['one of another kind', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['an access key', 'AKIAIOSFODNN7EXAMPLE'],
    ['a session', 'aws_session_token = x'],
    ['a password in a URL', 'postgres://holdfast:hunter2@db.example/records'],
    ['a field for a password', 'password: hunter2'],
  ])('refuses %s wherever it stands, without quoting it', (_, secret) => {
    const text = `${template()}\n# note\n# ${secret}\n${secret.startsWith('password') ? secret : ''}\n`;
    const { code, details } = refusalOf(Buffer.from(text));
    expect(code).toBe('VAULT_SECRET_INSIDE');
    expect(JSON.stringify(details)).not.toContain(secret);
    expect(details['line']).toBeGreaterThan(template().split('\n').length - 1);
  });
});
