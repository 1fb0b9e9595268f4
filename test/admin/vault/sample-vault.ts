import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { JOIN_FORMAT, type JoinFile, type LocatedVault, locateVault } from '../../../admin/vault/index.ts';

/** A vault as somebody would write it, as plain values that a test changes. */
export type SampleVault = Record<string, unknown> & {
  region: unknown;
  threshold: unknown;
  release: Record<string, unknown>;
  infrastructure: Record<string, unknown> & {
    admins: string[];
    network: Record<string, unknown>;
    host: Record<string, unknown>;
  };
  nodes: (Record<string, unknown> & {
    admins: string[];
    statementKey: string;
    configurationAuthority: { threshold: number; keys: string[]; function: boolean };
    recovery: { publicKey: string };
  })[];
  clients: Record<string, unknown>[];
  tenant: Record<string, unknown> & {
    rules: Record<string, unknown>[];
    keys: Record<string, unknown>[];
    owners: { clients: string[] };
  };
  parts: Record<string, unknown>;
};

/** Public key of a key pair that is always the same for one name. */
export function sampleKey(name: string, type: 'ed25519' | 'x25519' = 'ed25519'): string {
  const seed = Buffer.from(hkdfSync('sha256', name, 'sample vault', type, 32));
  const privateKey = createPrivateKey({ key: seed, format: 'raw-private', asymmetricKeyType: type });
  return Buffer.from(createPublicKey(privateKey).export({ format: 'raw-public' })).toString('hex');
}

const RELEASE_KEY = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
  type: 'spki',
  format: 'pem',
});

export const ACCOUNTS = ['444455556666', '111111111111', '222222222222', '333333333333'] as const;

/** Makes a vault of three nodes, two of which sign, in which nothing is wrong. */
export function makeSampleVault(change: (vault: SampleVault) => void = () => undefined): SampleVault {
  const admins = (account: string) => [
    `arn:aws:iam::${account}:role/admin-of-${account[0]}`,
    `arn:aws:iam::${account}:role/second-of-${account[0]}`,
  ];
  const vault: SampleVault = {
    format: 'holdfast-vault/1',
    namespace: 'acme',
    environment: 'production',
    region: 'eu-central-1',
    domain: null,
    threshold: 2,
    release: { version: '1.4.0', from: 's3://acme-artifacts/holdfast', publicKey: RELEASE_KEY },
    infrastructure: {
      account: ACCOUNTS[0],
      admins: admins(ACCOUNTS[0]),
      statementKey: sampleKey('infrastructure statement'),
      network: {
        vpcId: 'vpc-0123456789abcdef0',
        subnetId: 'subnet-0123456789abcdef0',
        clientCidr: '10.0.0.0/16',
        peerCidr: '10.1.0.0/16',
      },
      host: { instanceType: 'm6i.xlarge', imageId: 'ami-0123456789abcdef0' },
    },
    nodes: [1, 2, 3].map((node) => ({
      node,
      account: ACCOUNTS[node],
      admins: admins(ACCOUNTS[node] ?? ''),
      statementKey: sampleKey(`statement ${node}`),
      configurationAuthority: { threshold: 1, keys: [sampleKey(`authority ${node}`)], function: false },
      recovery: { publicKey: sampleKey(`recovery ${node}`, 'x25519') },
    })),
    clients: [
      { id: 'wallet-backend', publicKey: sampleKey('client wallet-backend'), person: null },
      { id: 'operations', publicKey: sampleKey('client operations'), person: null },
    ],
    tenant: {
      approvers: [],
      approverGroups: [],
      owners: { clients: ['operations'] },
      keys: [{ id: 'treasury', type: 'frost-ed25519', networks: [] }],
      rules: [
        {
          id: 'messages',
          effect: 'permit',
          operations: ['sign'],
          clients: ['wallet-backend'],
          keys: ['treasury'],
          algorithms: ['frost-ed25519'],
          payloads: ['message'],
          networks: null,
          time: null,
          effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
          features: [],
          fee: null,
          gas: null,
          nonce: null,
          limits: [],
          approvals: null,
          tiers: [],
          rate: { count: 10, seconds: 60 },
        },
      ],
    },
    parts: {},
  };
  change(vault);
  return vault;
}

/** Bytes of a vault; JSON is YAML. */
export const encodeVault = (vault: unknown): Buffer => Buffer.from(JSON.stringify(vault, undefined, 2));

/** Parses a sample vault that a test has changed. */
export function parseSample(change?: (vault: SampleVault) => void): LocatedVault {
  return locateVault(encodeVault(makeSampleVault(change)));
}

/** Makes what the admin of a node writes by `vault join`. */
export function makeSampleJoin(node: number): JoinFile {
  const account = ACCOUNTS[node] ?? '';
  return {
    format: JOIN_FORMAT,
    role: `node-${node}`,
    account,
    admins: [`arn:aws:iam::${account}:role/admin-of-${node}`],
    statementKey: sampleKey(`statement ${node}`),
    authorityKey: sampleKey(`authority ${node}`),
  };
}
