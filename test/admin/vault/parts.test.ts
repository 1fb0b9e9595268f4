import { describe, expect, it } from 'vitest';
import {
  checkVault,
  deriveConfiguration,
  deriveManifest,
  deriveStacks,
  locateVault,
  measureManifest,
  type VaultDocument,
} from '../../../admin/vault/index.ts';
import { databaseOf } from '../../../admin/vault/derive/part-secrets.ts';
import { describePartition } from '../../../admin/vault/populate/index.ts';
import { deriveDeployment } from '../../../admin/vault/steps/deployment.ts';
import { createLayout } from '../../../parent/deploy/layout.ts';
import { parseHostSettings } from '../../../parent/deploy/host-settings.ts';
import { renderParentFile } from '../../../parent/deploy/parent-file.ts';
import { parseDeployment } from '../../../shared/deployment/index.ts';
import { encodeVault, makeSampleVault, type SampleVault } from './sample-vault.ts';
import { CA_PEM, PARTS, WITNESS_1, WITNESS_2 } from './sample-parts.ts';

const NOW = Date.parse('2026-12-01T00:00:00Z');
const UNTIL = '2026-12-02T00:00:00Z';
const ARN = 'arn:aws:secretsmanager:eu-central-1:444455556666:secret:acme/production/wallet';
const HOSTS = [1, 2, 3].map((node) => ({
  node,
  instanceId: `i-0123456789abcdef${node}`,
  address: `10.1.0.${node}`,
}));
const PEER_KEYS = [2, 3].map((node) => ({
  node,
  key: `node-${node}.production.acme.holdfast.internal/witness+0000000${node}+BKVmNWY1ZmY1ZmY1ZmY1ZmY1ZmY1ZmY1ZmY1ZmY1ZmY1`,
}));

function documentOf(parts: Record<string, unknown>, change: (vault: SampleVault) => void = () => undefined) {
  return locateVault(
    encodeVault(
      makeSampleVault((vault) => {
        vault.parts = parts;
        change(vault);
      }),
    ),
  );
}

const BUCKET = 'acme-node-1-bucket';
const manifestOf = (document: VaultDocument, node: number) =>
  deriveManifest(document, node, {
    keyArn: `arn:aws:kms:eu-central-1:${String(node).repeat(12)}:key/00000001-1234-1234-1234-123456789012`,
    signingKey: null,
  });

/** Deployment of node 1. */
const deploymentOf = (document: VaultDocument, manifest: Uint8Array, witnesses: typeof PEER_KEYS = []) =>
  deriveDeployment(document, {
    node: 1,
    image: { sha384: '00'.repeat(48), bytes: 1 },
    pcrJson: new Uint8Array(1),
    manifest,
    configuration: new Uint8Array(1),
    nonce: null,
    identity: null,
    bucket: BUCKET,
    hosts: HOSTS,
    witnesses,
  });

/** parent.yaml of node 1 as its host makes it and reads it. */
function parentOf(document: VaultDocument, witnesses: typeof PEER_KEYS = []) {
  const { id, bytes } = deploymentOf(document, manifestOf(document, 1), witnesses);
  const { config } = renderParentFile(id, parseDeployment(bytes), parseHostSettings(''), createLayout());
  return { config, text: Buffer.from(bytes).toString() };
}

const configurationOf = (document: VaultDocument, orderUntil: string | null) =>
  deriveConfiguration(document, 1, {
    version: 1,
    manifests: document.nodes.map(({ node }) => measureManifest(manifestOf(document, node))),
    images: [
      {
        pcrs: new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)])),
        notAfter: null,
      },
    ],
    orderUntil,
  });

const codesOf = (vault: ReturnType<typeof documentOf>) =>
  checkVault(vault, NOW)
    .filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);

describe('a vault with PostgreSQL', () => {
  const { document } = documentOf({ store: PARTS.store });

  it('has parents that keep records there, by TLS, each with a role and a secret of its own', () => {
    const { config, text } = parentOf(document);
    expect(config.store).toEqual({
      postgres: {
        host: 'postgres.acme.example',
        port: 5433,
        database: 'holdfast_acme__production_node_1',
        user: 'holdfast_acme__production_node_1',
        password: { type: 'secrets-manager', name: `${ARN}/postgres-node-1-password` },
        ca: CA_PEM,
      },
      node: 'node-1',
    });
    expect(text).not.toMatch(/PRIVATE KEY/);
  });

  it('has databases of names that no other vault has', () => {
    const pairs = ['a', 'b', 'a-b', 'b-c', 'c', 'a-b-c', 'c-node-1', 'node-1', '1', 'a-1'].flatMap(
      (namespace, _index, all) => all.map((environment) => ({ namespace, environment })),
    );
    const names = pairs.flatMap((pair) => [1, 11].map((node) => databaseOf({ ...document, ...pair }, node)));
    expect(new Set(names).size).toBe(names.length);
    const long = { namespace: 'a'.repeat(20), environment: 'b'.repeat(20) };
    // PostgreSQL cuts longer names off, and two of them would be one again.
    expect(databaseOf({ ...document, ...long }, 255).length).toBeLessThanOrEqual(63);
    // Hyphens in a row, or at an end, would bring the same underscores.
    for (const pair of [
      { namespace: 'a-', environment: 'b' },
      { namespace: 'a', environment: 'b-' },
      { namespace: 'a--b', environment: 'c' },
    ])
      expect(codesOf(documentOf({ store: PARTS.store }, (vault) => Object.assign(vault, pair)))).toContain(
        'NAME_UNFIT',
      );
  });

  it('gives each password a place, and its host alone the right to read it and to reach the server', () => {
    const { entries, prefix } = describePartition(document, 'wallet');
    expect(prefix).toBe('acme/production/wallet/');
    expect(entries.map(({ name }) => name)).toEqual(
      [1, 2, 3].map((node) => `postgres-node-${node}-password`),
    );
    const stacks = deriveStacks(document);
    expect(stacks[0]?.parameters).toMatchObject({ PostgresCidr: '10.9.0.0/24', PostgresPort: '5433' });
    expect(stacks.find(({ name }) => name.endsWith('host-2'))?.parameters).toMatchObject({
      PostgresSecret: 'acme/production/wallet/postgres-node-2-password',
    });
  });

  it('is asked for in the Region of the vault, also where the key of a node is in another one', () => {
    const { document: elsewhere } = documentOf({ store: PARTS.store }, (vault) => {
      for (const node of vault.nodes) node.region = 'eu-west-1';
    });
    const value = Buffer.from(deploymentOf(elsewhere, manifestOf(document, 1)).bytes).toString();
    expect(value).toContain(`secretsmanager:${ARN}/postgres-node-1-password`);
  });
});

describe('a vault with NATS', () => {
  const { document } = documentOf({ nats: PARTS.nats });

  it('has parents that go by NATS alone, with a certificate that is a secret', () => {
    const { config } = parentOf(document);
    expect(config.peers).toMatchObject({
      node: 1,
      nodes: [{ node: 2 }, { node: 3 }],
      nats: {
        servers: PARTS.nats.servers,
        namespace: 'acme',
        environment: 'production',
        ca: CA_PEM,
        identity: { type: 'secrets-manager', name: `${ARN}/nats-node-1-identity` },
        replicas: 3,
      },
    });
    expect(config.peers?.listen).toBeUndefined();
    expect(config.peers?.nats?.credentials).toBeUndefined();
  });

  it('opens the way out to the servers, and none between hosts', () => {
    const [baseline, ...others] = deriveStacks(document);
    expect(baseline?.parameters).toMatchObject({
      NatsCidr: '10.8.0.0/24',
      NatsPort: '4222',
      PeerCidr: '',
    });
    expect(others.find(({ name }) => name.endsWith('host-3'))?.parameters).toMatchObject({
      NatsIdentitySecret: 'acme/production/wallet/nats-node-3-identity',
    });
  });

  it('has users of their own where the servers ask for credentials', () => {
    const { document: both } = documentOf({ nats: { ...PARTS.nats, credentials: true } });
    expect(parentOf(both).config.peers?.nats?.credentials).toEqual({
      type: 'secrets-manager',
      name: `${ARN}/nats-node-1-credentials`,
    });
    expect(describePartition(both, 'wallet').entries.map(({ name }) => name)).toContain(
      'nats-node-2-credentials',
    );
    expect(deriveStacks(both).find(({ name }) => name.endsWith('host-2'))?.parameters).toMatchObject({
      NatsCredentialsSecret: 'acme/production/wallet/nats-node-2-credentials',
    });
  });

  it('lets hosts reach each other where nodes cosign', () => {
    const { document: both } = documentOf({
      nats: PARTS.nats,
      peerWitnesses: { threshold: 2, maxUncosignedSeconds: 60 },
    });
    expect(deriveStacks(both)[0]?.parameters).toMatchObject({
      PeerCidr: '10.1.0.0/16',
      PeerPort: '0',
      WitnessPort: '7444',
    });
  });
});

describe('a vault with outside witnesses', () => {
  const { document } = documentOf({ witnesses: PARTS.witnesses });
  const servers = [WITNESS_1, WITNESS_2];

  it('has parents that ask them, beside the other nodes where those cosign', () => {
    expect(parentOf(document).config.auditLog).toMatchObject({
      witnesses: servers,
      s3: { bucket: BUCKET, prefix: 'log/' },
    });
    const { document: both } = documentOf({
      witnesses: PARTS.witnesses,
      peerWitnesses: { threshold: 2, maxUncosignedSeconds: 60 },
    });
    expect(parentOf(both, PEER_KEYS).config.auditLog?.witnesses).toEqual([
      ...servers,
      { url: 'http://10.1.0.2:7444', key: PEER_KEYS[0]?.key },
      { url: 'http://10.1.0.3:7444', key: PEER_KEYS[1]?.key },
    ]);
  });

  it('has nodes whose logs they must cosign once they can know them', () => {
    // A log has a key once its node has started: until then no witness can follow it.
    expect(configurationOf(document, UNTIL).witnesses).toBeNull();
    expect(configurationOf(document, null).witnesses).toEqual({
      threshold: 2,
      keys: [WITNESS_1.key, WITNESS_2.key],
      maxUncosignedSeconds: 600,
    });
  });
});

describe('witnesses at another port', () => {
  const servers = [8080, 8080].map((port, index) => ({
    ...(index === 0 ? WITNESS_1 : WITNESS_2),
    url: `http://10.0.7.${index}:${port}`,
  }));

  it('are reached where their addresses are named, at one port', () => {
    const vault = documentOf({ witnesses: { ...PARTS.witnesses, servers, cidr: '10.0.7.0/24' } });
    expect(codesOf(vault)).toEqual([]);
    expect(deriveStacks(vault.document)[0]?.parameters).toMatchObject({
      OutsideWitnessCidr: '10.0.7.0/24',
      OutsideWitnessPort: '8080',
    });
  });

  it('are not reached at two', () => {
    const [first = WITNESS_1] = servers;
    const two = [first, { ...WITNESS_2, url: 'http://10.0.7.2:8081' }];
    expect(
      codesOf(documentOf({ witnesses: { ...PARTS.witnesses, servers: two, cidr: '10.0.7.0/24' } })),
    ).toEqual(['WITNESS_OUT_OF_REACH', 'WITNESS_OUT_OF_REACH']);
  });
});

describe('vault check', () => {
  it('finds nothing wrong in the parts that the tests use', () => {
    expect(codesOf(documentOf(PARTS))).toEqual([]);
  });

  it.each([
    [
      'a witness that hosts do not reach',
      {
        witnesses: {
          ...PARTS.witnesses,
          servers: [WITNESS_1, { ...WITNESS_2, url: 'http://10.0.0.9:8080' }],
        },
      },
      'WITNESS_OUT_OF_REACH',
    ],
    [
      'a key that is no witness’s',
      {
        witnesses: {
          ...PARTS.witnesses,
          servers: [WITNESS_1, { ...WITNESS_2, key: `${WITNESS_2.key.slice(0, -6)}AAAA==` }],
        },
      },
      'WITNESS_KEY_UNUSABLE',
    ],
    [
      'a certificate that is none',
      {
        store: {
          postgres: {
            ...PARTS.store.postgres,
            ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
          },
        },
      },
      'PART_CERTIFICATE_UNUSABLE',
    ],
    ['fewer servers than replicas', { nats: { ...PARTS.nats, replicas: 5 } }, 'NATS_REPLICAS_UNMET'],
  ])('refuses %s', (_, parts, code) => {
    expect(codesOf(documentOf(parts))).toEqual([code]);
  });

  it('refuses NATS for a node alone', () => {
    const alone = documentOf({ nats: PARTS.nats }, (vault) => {
      vault.threshold = 1;
      vault.nodes.splice(1);
      vault.tenant.keys = [{ id: 'treasury', type: 'ed25519', networks: [] }];
      for (const rule of vault.tenant.rules) rule['algorithms'] = ['ed25519'];
    });
    expect(codesOf(alone)).toEqual(['NATS_WITHOUT_PEERS']);
  });

  it.each([
    ['a database that nobody says where it is', { store: 'postgres' }],
    ['a server without a port', { nats: { ...PARTS.nats, servers: ['tls://nats.acme.example'] } }],
    [
      'servers at two ports',
      { nats: { ...PARTS.nats, servers: ['tls://a.example:4222', 'tls://b.example:4223'] } },
    ],
    [
      'witnesses that nobody says where they are',
      { witnesses: { threshold: 1, keys: [WITNESS_1.key], maxUncosignedSeconds: 0 } },
    ],
    ['a password', { store: { postgres: { ...PARTS.store.postgres, password: 'x' } } }],
  ])('does not read %s', (_, parts) => {
    expect(() => documentOf(parts)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/VAULT_MALFORMED|VAULT_SECRET_INSIDE/) as string,
      }),
    );
  });
});
