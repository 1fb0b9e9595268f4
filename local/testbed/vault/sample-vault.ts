import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync } from 'node:crypto';

/** A vault as somebody would write it, as plain values that whoever plays it changes. */
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

/** Accounts of the sample vault: that of the infrastructure, and then one of each node. */
export const ACCOUNTS = ['444455556666', '111111111111', '222222222222', '333333333333'] as const;

/** ARN of a role of the admins of an account: the first one, or that of who stands in for them. */
export function adminOf(account: string, who: 'admin' | 'second' = 'admin'): string {
  return `arn:aws:iam::${account}:role/${who}-of-${account[0] ?? ''}`;
}

/**
 * Makes a vault in which nothing is wrong: of three nodes, two of which sign, where no accounts are given.
 * @param accounts the infrastructure's, and then one of each node; more than half of them sign
 */
export function makeSampleVault(
  change: (vault: SampleVault) => void = () => undefined,
  accounts: readonly [infrastructure: string, ...nodes: string[]] = ACCOUNTS,
): SampleVault {
  const [infrastructure, ...nodes] = accounts;
  const admins = (account: string) => [adminOf(account), adminOf(account, 'second')];
  const vault: SampleVault = {
    format: 'holdfast-vault/1',
    namespace: 'acme',
    environment: 'production',
    region: 'eu-central-1',
    domain: null,
    threshold: Math.floor(nodes.length / 2) + 1,
    release: { version: '1.4.0', from: 's3://acme-artifacts/holdfast', publicKey: RELEASE_KEY },
    infrastructure: {
      account: infrastructure,
      admins: admins(infrastructure),
      statementKey: sampleKey('infrastructure statement'),
      network: {
        vpcId: 'vpc-0123456789abcdef0',
        subnetId: 'subnet-0123456789abcdef0',
        clientCidr: '10.0.0.0/16',
        peerCidr: '10.1.0.0/16',
      },
      host: { instanceType: 'm6i.xlarge', imageId: 'ami-0123456789abcdef0' },
    },
    nodes: nodes.map((account, index) => ({
      node: index + 1,
      account,
      admins: admins(account),
      statementKey: sampleKey(`statement ${index + 1}`),
      configurationAuthority: { threshold: 1, keys: [sampleKey(`authority ${index + 1}`)], function: false },
      recovery: { publicKey: sampleKey('recovery', 'x25519') },
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
          // Empty when a node starts: somebody signs soon after.
          rate: { count: 600, seconds: 60 },
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
