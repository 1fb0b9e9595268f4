import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfigurationFile, signConfiguration } from '../../admin/configurations/index.ts';
import { UNLIMITED } from '../../shared/documents/configuration/rules.ts';
import type { ColdNodeOptions } from '../../cold/index.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';

export const MAINNET = 'eip155:1';
export const WEI = 10n ** 18n;
/** Test case of EIP-55. */
export const SUPPLIER = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
export const STRANGER = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359';
export const PASSPHRASE = 'six words that nobody has written down';
/** Argon2id that takes no time. */
export const CHEAP = { memoryKiB: 64, passes: 1, lanes: 1 };

interface Pair {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  readonly pem: string;
}

export function makePair(type: 'ed25519' | 'x25519' = 'ed25519'): Pair {
  const { publicKey, privateKey } = generateKeyPairSync(type as 'ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    publicKey: Buffer.from(x, 'base64url').toString('hex'),
    privateKey,
    pem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
}

export const people = {
  authority: makePair(),
  client: makePair(),
  alice: makePair(),
  bob: makePair(),
  recovery: makePair('x25519'),
};

export const MANIFEST = new Uint8Array(
  Buffer.from(
    JSON.stringify({
      format: 'holdfast-cold-manifest/1',
      namespace: 'acme',
      environment: 'production',
      node: 1,
      configurationAuthority: { threshold: 1, keys: [people.authority.publicKey] },
      emergencyRecovery: { publicKey: people.recovery.publicKey },
    }),
  ),
);

const ETHER = `${MAINNET}/slip44:60`;

/** Configuration: messages at once; ether to the supplier, up to 1 alone, up to 10 with two approvals. */
export function coldConfiguration(
  version: number,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  const rule = (id: string, members: Record<string, unknown>) => ({
    id,
    effect: 'permit',
    operations: ['sign'],
    clients: ['treasury'],
    ...UNLIMITED,
    ...members,
  });
  return {
    format: 'holdfast-configuration/2',
    manifest: Buffer.from(digestManifest(MANIFEST)).toString('hex'),
    version,
    initialise: { id: 'first-start', notAfter: '2036-01-01T00:00:00Z', password: 'generated' },
    clients: [{ id: 'treasury', publicKey: people.client.publicKey, person: null }],
    clientGroups: [],
    keys: [
      { id: 'messages', type: 'ed25519', networks: [] },
      { id: 'ether', type: 'secp256k1', networks: [MAINNET] },
    ],
    approvers: [
      { id: 'alice', credentials: [{ type: 'ed25519', publicKey: people.alice.publicKey }] },
      { id: 'bob', credentials: [{ type: 'ed25519', publicKey: people.bob.publicKey }] },
    ],
    approverGroups: [{ id: 'board', approvers: ['alice', 'bob'] }],
    addressBooks: [
      { id: 'suppliers', network: MAINNET, entries: [{ label: 'Supplier A', address: SUPPLIER }] },
    ],
    witnesses: null,
    rules: [
      rule('messages', {
        keys: ['messages'],
        algorithms: ['ed25519'],
        payloads: ['message'],
        effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
      }),
      rule('pay', {
        keys: ['ether'],
        algorithms: ['ecdsa-secp256k1'],
        payloads: ['ethereum-transaction'],
        networks: [MAINNET],
        effects: [
          {
            type: 'transfer',
            to: { books: ['suppliers'], addresses: [] },
            assets: [ETHER],
            contracts: null,
            amount: null,
          },
        ],
        fee: { asset: ETHER, max: String(WEI / 100n), maxShareBasisPoints: null },
        limits: [
          { id: 'daily', asset: ETHER, max: String(12n * WEI), seconds: 86_400, per: 'rule', fees: false },
        ],
        tiers: [
          {
            asset: ETHER,
            steps: [
              { max: String(WEI), approvals: null },
              {
                max: String(10n * WEI),
                approvals: { all: [{ group: 'board', count: 2 }], expiresSeconds: 864_000 },
              },
            ],
          },
        ],
      }),
    ],
    ...changes,
  };
}

export function signCold(configuration: Record<string, unknown>): Uint8Array {
  const file = parseConfigurationFile(Buffer.from(JSON.stringify(configuration)));
  return Buffer.from(signConfiguration(file, people.authority.privateKey).text);
}

/** Options of a node in a folder of its own, which a test changes. */
export async function coldOptions(changes: Partial<ColdNodeOptions> = {}): Promise<ColdNodeOptions> {
  return {
    folder: join(await mkdtemp(join(tmpdir(), 'cold-')), 'node'),
    manifest: MANIFEST,
    configuration: signCold(coldConfiguration(1)),
    passphrase: Buffer.from(PASSPHRASE),
    now: Date.now,
    cost: CHEAP,
    ...changes,
  };
}
