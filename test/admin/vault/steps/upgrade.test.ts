import { createHash, generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { formatPcrFile, type PcrValues } from '../../../../attestation/index.ts';
import { renderSinglePolicy } from '../../../../admin/upgrade/index.ts';
import { Exchange, type Facts, type StepName } from '../../../../admin/vault/exchange/index.ts';
import { deriveManifest, measureManifest, type Role } from '../../../../admin/vault/index.ts';
import {
  applyRole,
  planRole,
  type ReleaseFiles,
  type StepContext,
} from '../../../../admin/vault/steps/index.ts';
import { upgradeCeremony } from '../../../../admin/vault/steps/upgrade/ceremony.ts';
import {
  moveNodes,
  openUpgradeJournal,
} from '../../../../admin/vault/steps/upgrade/infrastructure-upgrade-nodes.ts';
import type { Upgrade } from '../../../../admin/vault/steps/upgrade/upgrade.ts';
import { hostRoleOf } from '../../../../admin/vault/steps/host-role.ts';
import { createNsmClient } from '../../../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../../local/nsm/index.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../../../shared/documents/encryption-context.ts';
import { ed25519PublicKeyHex } from '../../../../shared/dsse/index.ts';
import { ACCOUNTS, parseSample } from '../sample-vault.ts';

const NOW = Date.now();
const UNTIL = (Math.floor(NOW / 1000) + 7 * 86_400) * 1000;
const NODES = [1, 2, 3] as const;
const ROLES = ['infrastructure', 'node-1', 'node-2', 'node-3'] as const;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const imageOf = (fill: number): PcrValues =>
  new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(fill + index)]));
const IMAGES = { old: imageOf(0x10), new: imageOf(0x20) };
const VERSIONS = { old: '1.4.0', new: '1.5.0' } as const;
const keyArnOf = (node: number) =>
  `arn:aws:kms:eu-central-1:${ACCOUNTS[node] ?? ''}:key/0000000${node}-1234-1234-1234-123456789012`;

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const authority = ed25519PublicKeyHex(publicKey);
const vault = parseSample((sample) => {
  for (const node of sample.nodes)
    node.configurationAuthority = { threshold: 1, keys: [authority], function: false };
}).document;
const manifests = new Map(
  NODES.map((node) => [node, deriveManifest(vault, node, { keyArn: keyArnOf(node), signingKey: null })]),
);
const manifestOf = (node: number) => manifests.get(node as 1) ?? new Uint8Array();

/** World of fakes: KMS has the policies, hosts run an image or none, and an enclave asks KMS as the real one does. */
interface World {
  readonly exchange: Exchange;
  readonly policies: Map<number, string>;
  readonly running: Map<number, 'old' | 'new' | null>;
  readonly memory: Map<string, unknown>;
  /** What hosts were told, in order: `1 new`. */
  readonly deployed: string[];
  readonly root: NitroRoot;
  /** Fewest nodes that were up at once. */
  fewest: number;
  /** Code with which the quorum refuses to sign with a node. */
  refuses: Map<number, string>;
  now: number;
}
let world: World;

const release = (image: 'old' | 'new'): ReleaseFiles => ({
  version: VERSIONS[image],
  pcrJson: new Uint8Array(Buffer.from(formatPcrFile(IMAGES[image]))),
  image: { sha384: (image === 'old' ? 'aa' : 'bb').repeat(48), bytes: 3 },
  readImage: () => Promise.resolve(new Uint8Array(Buffer.from(image))),
});

function policyOf(node: number, image: 'old' | 'new'): string {
  const { manifest, pcr16 } = measureManifest(manifestOf(node));
  return renderSinglePolicy(
    {
      nodeRole: hostRoleOf(vault, node),
      admins: vault.nodes.find((one) => one.node === node)?.admins ?? [],
      encryptionContext: encryptionContext(manifest, PASSWORD_SECRET),
      pcr16: new Uint8Array(Buffer.from(pcr16, 'hex')),
    },
    IMAGES[image],
  );
}

async function attestNew(node: number, nonce: string): Promise<Uint8Array> {
  const nsm = createNsmClient(
    new EmulatedNsm({
      root: world.root,
      instanceId: 'i-0123456789abcdef0',
      moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      measured: IMAGES.new,
      clock: () => world.now,
    }),
  );
  await nsm.extendPcr(16, createHash('sha384').update(manifestOf(node)).digest());
  await nsm.lockPcr(16);
  return await nsm.attest({ nonce: Buffer.from(nonce, 'hex') });
}

interface Sent {
  readonly constructor: { readonly name: string };
  readonly input: Record<string, unknown>;
}

/** AWS as one role sees it. */
function awsOf(role: Role): StepContext['aws'] {
  const objects = new Map<string, Uint8Array>();
  const answers = new Map<string, string>();
  const send = async ({ constructor: { name }, input }: Sent): Promise<unknown> => {
    const node = NODES.find((one) => keyArnOf(one) === input['KeyId']) ?? 0;
    switch (name) {
      case 'GetCallerIdentityCommand':
        return { Account: ACCOUNTS[ROLES.findIndex((one) => one === role)] };
      case 'GetKeyPolicyCommand':
        return { Policy: world.policies.get(node) };
      case 'PutKeyPolicyCommand':
        world.policies.set(node, String(input['Policy']));
        return {};
      case 'HeadObjectCommand':
        throw Object.assign(new Error('none'), { name: 'NotFound' });
      case 'PutObjectCommand':
        objects.set(String(input['Key']), new Uint8Array(input['Body'] as Uint8Array));
        return {};
      case 'SendCommandCommand': {
        const [line] = (input['Parameters'] as { commands: readonly string[] }).commands;
        const id = `c-${answers.size}`;
        answers.set(id, JSON.stringify(await runLine(line ?? '', objects)));
        return { Command: { CommandId: id } };
      }
      case 'GetCommandInvocationCommand':
        return { Status: 'Success', StandardOutputContent: answers.get(String(input['CommandId'])) };
      default:
        throw new TypeError(`unexpected ${name}`);
    }
  };
  const client = () => Promise.resolve({ send } as never);
  return { cloudFormation: client, kms: client, lambda: client, s3: client, ssm: client, sts: client };
}

async function runLine(line: string, objects: ReadonlyMap<string, Uint8Array>): Promise<unknown> {
  const prefix = /s3:\/\/[^/]+\/(?<prefix>deployments\/[^ ]+)/.exec(line)?.groups?.['prefix'] ?? '';
  const read = (name: string) => Buffer.from(objects.get(`${prefix}/${name}`) ?? []).toString();
  const { node, nonce } = JSON.parse(read('deployment.json')) as { node: number; nonce: string | null };
  const image = read('enclave.eif') as 'old' | 'new';
  world.deployed.push(`${node} ${image}`);
  world.running.set(node, null);
  world.fewest = Math.min(world.fewest, [...world.running.values()].filter((one) => one !== null).length);
  const admitted = world.policies.get(node)?.includes(hex(IMAGES[image].get(0) ?? new Uint8Array())) === true;
  if (admitted) world.running.set(node, image);
  const document = nonce === null ? null : await attestNew(node, nonce);
  return {
    phase: admitted ? 'serving' : 'halted',
    code: admitted ? null : 'KMS_ACCESS_DENIED',
    attestation: document === null ? null : Buffer.from(document).toString('base64'),
    identity: admitted ? { store: '0a'.repeat(32), epoch: 1, log: { size: 9 } } : null,
  };
}

function contextOf(role: Role): StepContext {
  const nodeAt = (url: string) => NODES.find((one) => url.includes(`10.0.0.${one}:`)) ?? 0;
  return {
    vault,
    role,
    exchange: world.exchange,
    journal: {
      get: (name) => world.memory.get(name),
      set: (name, value) => Promise.resolve(void world.memory.set(name, value)),
    },
    aws: awsOf(role),
    authorities: [privateKey],
    statementKey: privateKey,
    root: world.root.certificate,
    release: () => Promise.resolve(release('old')),
    template: () => Promise.reject(new TypeError('no stack is touched')),
    signingFunction: () => Promise.reject(new TypeError('no function is touched')),
    attest: (url, { pcrs }) => {
      const image = world.running.get(nodeAt(url)) ?? null;
      if (image === null || hex(IMAGES[image].get(0) as Uint8Array) !== hex(pcrs.get(0) as Uint8Array))
        return Promise.reject(Object.assign(new Error('another'), { code: 'PCR_MISMATCH' }));
      return Promise.resolve({ version: 3, log: 'log', witness: 'witness' });
    },
    clock: () => world.now,
    random: (bytes) => new Uint8Array(bytes).fill(7),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    progress: () => undefined,
  };
}

const upgrade: Upgrade = {
  from: VERSIONS.old,
  to: VERSIONS.new,
  attempt: 1,
  report: () => undefined,
  release: (version) => Promise.resolve(release(version === VERSIONS.old ? 'old' : 'new')),
  until: UNTIL,
  isRebuilt: true,
  canary: 2,
  client: {
    look: () => Promise.resolve(null),
    sign: ({ node }) => Promise.resolve(world.refuses.get(node) ?? null),
  },
};
const ceremony = (change: Partial<Upgrade> = {}) => upgradeCeremony(vault, { ...upgrade, ...change });
const apply = async (role: Role, change?: Partial<Upgrade>) =>
  await applyRole(contextOf(role), () => undefined, { ceremony: ceremony(change) });
const applyNodes = async () => {
  for (const node of NODES) await apply(`node-${node}`);
};

async function tell<Name extends StepName>(
  role: Role,
  step: Name,
  facts: Facts<Name>,
  file?: { name: string; bytes: Uint8Array },
) {
  const told = { facts, files: file === undefined ? [] : [file] };
  await world.exchange.publish({ role, step }, told, { privateKey, time: '2027-01-01T00:00:00Z', base: 0 });
}

beforeEach(async () => {
  const [files, seen] = [
    new Map<string, Uint8Array>(),
    new Map<string, { readonly sequence: number; readonly sha384: string }>(),
  ];
  world = {
    exchange: new Exchange(
      {
        read: (path) => Promise.resolve(files.get(path)),
        write: (path, bytes) => Promise.resolve(void files.set(path, bytes)),
      },
      { get: (id) => seen.get(id), set: (id, one) => Promise.resolve(void seen.set(id, one)) },
      { vault: 'a'.repeat(96), keys: new Map(ROLES.map((role) => [role, authority])) },
    ),
    policies: new Map(NODES.map((node) => [node, policyOf(node, 'old')])),
    running: new Map(NODES.map((node) => [node, 'old'])),
    memory: new Map(),
    deployed: [],
    root: await NitroRoot.create(NOW),
    fewest: 3,
    refuses: new Map(),
    now: NOW,
  };
  const identity = { store: '0a'.repeat(32), epoch: 1, logSize: 5 };
  const hosts = NODES.map((node) => ({ node, instanceId: `i-0000000${node}`, address: `10.0.0.${node}` }));
  const urls = NODES.map((node) => ({ node, url: `https://10.0.0.${node}:8443`, identity, version: 2 }));
  const [region, sha384] = ['eu-central-1', 'cc'.repeat(48)];
  await tell('infrastructure', 'baseline', {
    account: ACCOUNTS[0],
    region,
    bucket: 'acme-artifacts',
    securityGroupId: 'sg-00000000',
    hosts: NODES.map((node) => ({
      node,
      roleArn: hostRoleOf(vault, node),
      roleName: 'role',
      instanceProfileArn: `arn:aws:iam::${ACCOUNTS[0]}:instance-profile/role`,
    })),
  });
  await tell('infrastructure', 'hosts', { hosts });
  await tell('infrastructure', 'restart', { nodes: urls });
  for (const node of NODES) {
    const [role, bytes] = [`node-${node}`, manifestOf(node)] as const;
    const account = ACCOUNTS[node];
    const keyArn = keyArnOf(node);
    await tell(role, 'kms-stack', { account, region, keyArn, signingKey: null, bucket: 'acme-node' });
    const { pcr16 } = measureManifest(bytes);
    const manifest = createHash('sha384').update(bytes).digest('hex');
    await tell(role, 'manifest', { manifest, pcr16 }, { name: 'manifest.json', bytes });
    await tell(role, 'narrow', { policy: sha384, log: 'log', witness: 'witness' });
    await tell(role, 'final-configuration', { configuration: sha384, version: 2 });
  }
});

const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('the steps of an upgrade', () => {
  it('bring a quorum of two in three to another image, the canary first, with two nodes up at all times', async () => {
    await applyNodes();
    await apply('infrastructure');
    expect(world.deployed).toEqual(['1 new', '1 old', '2 new', '2 old', '3 new', '3 old']);
    await applyNodes();
    expect(NODES.every((node) => world.policies.get(node)?.includes('DateLessThan'))).toBe(true);
    await apply('infrastructure');
    expect(world.deployed.slice(6)).toEqual(['2 new', '1 new', '3 new']);
    expect(world.fewest).toBe(2);
    await applyNodes();
    expect(NODES.map((node) => JSON.parse(world.policies.get(node) ?? '') as unknown)).toEqual(
      NODES.map((node) => JSON.parse(policyOf(node, 'new')) as unknown),
    );
    for (const role of ROLES) expect(await apply(role)).toMatchObject({ done: [], isComplete: true });
  });

  it('stop at the first refusal, refuse every later run, and go back within the overlap', async () => {
    await applyNodes();
    await apply('infrastructure');
    await applyNodes();
    world.refuses.set(2, 'QUORUM_UNREACHABLE');
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_QUORUM_NOT_SIGNING'));
    expect(world.deployed.slice(6)).toEqual(['2 new']);
    world.refuses.clear();
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_STOPPED'));
    expect(await apply('node-1')).toMatchObject({ done: [], isComplete: false });
    const told = await moveNodes(contextOf('infrastructure'), upgrade, 'old');
    expect(told.facts.image).toBe('old');
    expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
    expect(openUpgradeJournal(contextOf('infrastructure')).stopped()).toBeNull();
  });

  it('touch nothing once the day is over', async () => {
    await applyNodes();
    await apply('infrastructure');
    await applyNodes();
    const before = world.deployed.length;
    world.now = UNTIL;
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_OVERLAP_EXPIRED'));
    expect(world.deployed.length).toBe(before);
  });

  it('take no node down while another is down', async () => {
    await applyNodes();
    world.running.set(3, null);
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_QUORUM_AT_RISK'));
    expect(world.deployed).toEqual([]);
  });

  it('do not open the gate of a key whose policy is not that of the old image', async () => {
    await applyNodes();
    await apply('infrastructure');
    const other = policyOf(2, 'old');
    world.policies.set(1, other);
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_KEY_POLICY_CHANGED'));
    expect(world.policies.get(1)).toBe(other);
  });

  it('do not narrow a policy while a node attests the old image, whatever infrastructure has said', async () => {
    await applyNodes();
    await apply('infrastructure');
    await applyNodes();
    await apply('infrastructure');
    world.running.set(3, 'old');
    const before = world.policies.get(1);
    await expect(apply('node-1')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    expect(world.policies.get(1)).toBe(before);
  });

  it('refuse a run without a day, and one of too late a day', async () => {
    await expect(apply('node-1', { until: undefined })).rejects.toEqual(refused('VAULT_UPGRADE_DAY_MISSING'));
    const until = NOW + 31 * 86_400_000;
    await expect(apply('node-1', { until })).rejects.toEqual(refused('UPGRADE_OVERLAP_LENGTH'));
  });

  it('wait for the statements of this upgrade, and not of another', async () => {
    await applyNodes();
    const planned = await planRole(contextOf('infrastructure'), ceremony({ to: '1.6.0' }));
    expect(planned[0]?.state).toMatchObject({ state: 'waiting' });
  });
});
