import { describe, expect, it } from 'vitest';
import { importSignatory, SignatoryError } from '../../../admin/signatory/index.ts';
import { makeConfiguration2 } from '../../shared/documents/sample-rules.ts';
import { ACCOUNTS } from '../../policy/transactions/tezos/samples.ts';
import { CLIENTS } from './generated-files.ts';
import { MAINNET_NAME } from './requests.ts';

const TZ1 = ACCOUNTS.ed25519.address;
const TZ4 = 'tz4D9XTvxSnqXqtnzjzAr9vpK7kVbzm2xdYH';
const EDPK = ACCOUNTS.ed25519.publicKey;
const CLIENT = {
  id: 'tezos-door',
  publicKey: '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
};

function importText(text: string, options: Partial<Parameters<typeof importSignatory>[1]> = {}) {
  return importSignatory(Buffer.from(text), {
    manifest: 'ab'.repeat(48),
    client: CLIENT,
    chain: MAINNET_NAME,
    without: new Set(),
    ...options,
  });
}

function refusal(text: string, options = {}): unknown {
  try {
    importText(text, options);
  } catch (error) {
    if (error instanceof SignatoryError) return [error.code, error.details['path']];
    throw error;
  }
  return undefined;
}

const keyWith = (policy: string) => `tezos:\n  ${TZ1}: ${policy}\n`;
const rulesOf = (text: string, options = {}) => importText(text, options).configuration.rules;
const selectorsOf = (text: string) =>
  rulesOf(text).map(({ payloads, effects }) => [
    payloads[0],
    ...(effects ?? []).flatMap(({ selectors }) => selectors ?? []),
  ]);

describe('an import of Signatory’s configuration', () => {
  it.each([
    ['a misspelt policy', keyWith('{ alow: { block: } }'), `tezos.${TZ1}.alow`],
    ['a misspelt section', 'servers: {}', 'servers'],
    ['a field of a vault', 'vaults: { a: { driver: file, config: { path: x } } }', 'vaults.a.config.path'],
    ['a field of a mark', 'watermark: { driver: aws, config: { tabel: x } }', 'watermark.config.tabel'],
    ['a field of a token', 'server: { jwt: { users: { a: { pass: x } } } }', 'server.jwt.users.a.pass'],
  ])('refuses %s', (_, text, path) => {
    expect(refusal(text)).toEqual(['SIGNATORY_UNKNOWN_FIELD', path]);
  });

  it.each([
    ['an address that is none', 'tezos: { tz1nobody: }', 'tezos.tz1nobody'],
    ['a kind of request', keyWith('{ allow: { blocks: } }'), `tezos.${TZ1}.allow.blocks`],
    ['a kind of operation', keyWith('{ allow: { generic: [transfer] } }'), `tezos.${TZ1}.allow.generic.0`],
    ['a vote', keyWith('{ allow: { generic: ["ballot:no"] } }'), `tezos.${TZ1}.allow.generic.0`],
    ['a chain', keyWith('{ allowed_chains: [mainnet] }'), `tezos.${TZ1}.allowed_chains.0`],
    ['a hash for a key', `server: { authorized_keys: [${TZ1}] }`, 'server.authorized_keys.0'],
    ['a key in a list of a list', 'server: { authorized_keys: [[x]] }', 'server.authorized_keys.0.0'],
    ['a vault', 'vaults: { a: { driver: kms } }', 'vaults.a.driver'],
    ['a kind of mark', 'watermark: { driver: redis }', 'watermark.driver'],
    ['an address to listen on', 'server: { address: 6732x }', 'server.address'],
    ['a port', 'server: { address: ":65536" }', 'server.address'],
    ['a text for a flag', keyWith('{ log_payloads: yes please }'), `tezos.${TZ1}.log_payloads`],
  ])('refuses %s that Signatory does not know', (_, text, path) => {
    expect(refusal(text)).toEqual(['SIGNATORY_MALFORMED', path]);
  });

  it.each([
    ['a key twice', `tezos:\n  ${TZ1}:\n  ${TZ1}:\n`],
    ['a field twice', keyWith('{ allow: {}, allow: {} }')],
    ['an alias', `tezos:\n  ${TZ1}: &a { allow: {} }\n  ${ACCOUNTS['ecdsa-secp256k1'].address}: *a\n`],
    ['a second document', 'tezos:\n---\ntezos:\n'],
    ['no YAML', 'tezos: ['],
    ['a deep list', `server: { authorized_keys: ${'['.repeat(100)}${']'.repeat(100)} }`],
    ['an endless list', `server: { authorized_keys: [${'x,'.repeat(20_000)}] }`],
  ])('refuses %s', (_, text) => {
    expect(refusal(text)).toEqual(['SIGNATORY_NOT_YAML', undefined]);
  });

  it('refuses tokens beside authorized keys, which Signatory does not start with', () => {
    const text = `server: { authorized_keys: [${EDPK}], jwt: { users: {} } }`;
    expect(refusal(text)).toEqual(['SIGNATORY_CONTRADICTORY', 'server.jwt']);
  });

  it('asks for the chain of a key that signs on any', () => {
    expect(refusal(keyWith('{ allow: { block: } }'), { chain: undefined })).toEqual([
      'SIGNATORY_NETWORK_UNKNOWN',
      undefined,
    ]);
    const named = keyWith(`{ allow: { block: }, allowed_chains: [${MAINNET_NAME}] }`);
    expect(refusal(named, { chain: undefined })).toBeUndefined();
  });

  it('permits block, preattestation and attestation under a key that says nothing', () => {
    expect(selectorsOf(`tezos:\n  ${TZ1}:\n`)).toEqual([
      ['tezos-consensus', 'block', 'preattestation', 'attestation'],
    ]);
  });

  it.each(['{}', '{ allow: {} }', '{ allow: }', '{ allowed_operations: [] }'])(
    'permits nothing under %s',
    (policy) => {
      expect(rulesOf(keyWith(policy))).toEqual([]);
    },
  );

  it('reads the former names, and ignores the former fields beside the new one', () => {
    expect(selectorsOf(keyWith('{ allowed_operations: [endorsement, preendorsement] }'))).toEqual([
      ['tezos-consensus', 'attestation', 'preattestation'],
    ]);
    const both = importText(
      keyWith('{ allow: { block: }, allowed_operations: [generic], allowed_kinds: [transaction] }'),
    );
    expect(both.configuration.rules.map(({ payloads }) => payloads)).toEqual([['tezos-consensus']]);
    expect(both.report.dropped.map(({ field }) => field)).toEqual([
      `tezos.${TZ1}.allowed_operations.0`,
      `tezos.${TZ1}.allowed_kinds.0`,
    ]);
  });

  it('says that an attestation among operations stops Signatory, and takes the rest of the list', () => {
    const { configuration, report } = importText(
      keyWith('{ allowed_operations: [generic], allowed_kinds: [transaction, attestation] }'),
    );
    expect(configuration.rules.map(({ payloads }) => payloads)).toEqual([['tezos-operation']]);
    expect(report.dropped.map(({ field }) => field)).toEqual([`tezos.${TZ1}.allowed_kinds.1`]);
  });

  it.each([
    ['a policy hook', 'policy_hook: { address: "http://127.0.0.1:1" }', 'policy-hook'],
    ['tokens', 'server: { jwt: { users: { a: { password: p, secret: s } } } }', 'jwt'],
  ] as const)('lets keys sign nothing where Signatory asks %s, unless told otherwise', (_, section, name) => {
    const text = `${section}\n${keyWith('{ allow: { block: } }')}`;
    expect(rulesOf(text)).toEqual([]);
    expect(rulesOf(text, { without: new Set([name]) })).toHaveLength(1);
  });

  it.each([
    ['the server lets nobody in', `server: { authorized_keys: [] }\n${keyWith('{ allow: { block: } }')}`],
    ['a key lets nobody in', keyWith('{ allow: { block: }, authorized_keys: [] }')],
    ['only the key names clients', keyWith(`{ allow: { block: }, authorized_keys: ${EDPK} }`)],
  ])('permits nothing where %s', (_, text) => {
    expect(rulesOf(text)).toEqual([]);
  });

  it('keeps secrets out of the report', () => {
    const { report } = importText(
      'vaults: { a: { driver: awskms, config: { secret_access_key: hunter2 } } }\nserver: { jwt: { users: { u: { password: hunter3, secret: hunter4 } } } }\n',
    );
    expect(JSON.stringify(report)).not.toMatch(/hunter/);
  });

  it('goes into a configuration as its next version, and under no id that is taken', () => {
    const into = makeConfiguration2({}) as NonNullable<Parameters<typeof importText>[1]>['into'];
    const text = keyWith('{ allow: { block: } }');
    const first = importText(text, { into }).configuration;
    expect(first).toMatchObject({
      version: (into?.version ?? 0) + 1,
      clients: [...(into?.clients ?? []), CLIENT],
    });
    expect(first.rules).toHaveLength((into?.rules.length ?? 0) + 1);
    expect(refusal(text, { into: first })).toEqual(['SIGNATORY_CONFLICT', undefined]);
  });

  it('reads tz4, whose keys attest without DAL content and prove their possession', () => {
    const policy = '{ allow: { attestation: , attestation_with_dal: }, allow_proof_of_possession: true }';
    const { configuration, gateway, report } = importText(`tezos:\n  ${TZ4}: ${policy}\n`);
    expect(configuration.keys).toMatchObject([{ type: 'bls12-381' }]);
    expect(configuration.rules).toMatchObject([
      { algorithms: ['bls12-381-pop'], effects: [{ selectors: ['attestation'] }] },
      { algorithms: ['bls12-381-pop'], payloads: ['tezos-proof-of-possession'] },
    ]);
    expect(gateway?.tezos.proofOfPossession).toBe(true);
    expect(report.dropped.map(({ field }) => field)).toEqual([`tezos.${TZ4}.allow.attestation_with_dal`]);
  });

  it('allows no proof of possession where it is not asked for, and none to other curves', () => {
    expect(rulesOf(`tezos:\n  ${TZ4}: { allow: {} }\n`)).toEqual([]);
    expect(rulesOf(keyWith('{ allow_proof_of_possession: true }'))).toEqual([]);
  });

  it('gives the door the clients that server and key let in both', () => {
    const [one, two, three] = CLIENTS;
    const text = `server: { authorized_keys: [${one}, ${two}] }\n${keyWith(`{ allow: { block: }, authorized_keys: [${two}, ${three}] }`)}`;
    const { gateway, report } = importText(text);
    expect(gateway?.tezos).toMatchObject({ authorizedKeys: [one, two], keys: [{ authorizedKeys: [two] }] });
    expect(report.dropped.map(({ field }) => field)).toEqual([`tezos.${TZ1}.authorized_keys.1`]);
  });

  it('gives no door where nothing is signed', () => {
    expect(importText(keyWith('{}')).gateway).toBeUndefined();
  });
});
