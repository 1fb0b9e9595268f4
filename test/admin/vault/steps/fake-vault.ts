import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { formatPcrFile, type PcrValues } from '../../../../attestation/index.ts';
import { renderSinglePolicy } from '../../../../admin/upgrade/index.ts';
import { Exchange, type Facts, type StepName } from '../../../../admin/vault/exchange/index.ts';
import {
  deriveConfiguration,
  deriveManifest,
  measureManifest,
  readNodeManifest,
  type Role,
} from '../../../../admin/vault/index.ts';
import { applyRole, type ReleaseFiles, type StepContext } from '../../../../admin/vault/steps/index.ts';
import {
  findUpgradeState,
  rollBackCeremony,
  type Upgrade,
  upgradeCeremony,
} from '../../../../admin/vault/steps/upgrade/index.ts';
import { hostRoleOf } from '../../../../admin/vault/steps/host-role.ts';
import { createNsmClient } from '../../../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../../local/nsm/index.ts';
import {
  CONFIGURATION_PAYLOAD_TYPE,
  type ConfigurationDocument2,
} from '../../../../shared/documents/configuration.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../../../shared/documents/encryption-context.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../../shared/dsse/index.ts';
import { ACCOUNTS, parseSample } from '../sample-vault.ts';

export const NOW = Date.now();
export const UNTIL = (Math.floor(NOW / 1000) + 7 * 86_400) * 1000;
export const NODES = [1, 2, 3] as const;
export const ROLES = ['infrastructure', 'node-1', 'node-2', 'node-3'] as const;
export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
export const imageOf = (fill: number): PcrValues =>
  new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(fill + index)]));
export const IMAGES = { old: imageOf(0x10), new: imageOf(0x20) };
export const VERSIONS = { old: '1.4.0', new: '1.5.0' } as const;
export const keyArnOf = (node: number) =>
  `arn:aws:kms:eu-central-1:${ACCOUNTS[node] ?? ''}:key/0000000${node}-1234-1234-1234-123456789012`;

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
export const authority = ed25519PublicKeyHex(publicKey);
export const vault = parseSample((sample) => {
  for (const node of sample.nodes)
    node.configurationAuthority = { threshold: 1, keys: [authority], function: false };
}).document;
export const manifests = new Map(
  NODES.map((node) => [node, deriveManifest(vault, node, { keyArn: keyArnOf(node), signingKey: null })]),
);
export const manifestOf = (node: number) => manifests.get(node as 1) ?? new Uint8Array();

/** Configuration with which a node has left the ceremony. */
export function firstConfiguration(node: number): ConfigurationDocument2 {
  return deriveConfiguration(vault, node, {
    version: 2,
    manifests: NODES.map((one) => readNodeManifest(vault, one, manifestOf(one))),
    images: [{ pcrs: IMAGES.old, notAfter: null }],
    orderUntil: null,
  });
}

/** Configuration that its node's authority has signed, as `config sign` does. */
export function signedConfiguration(configuration: ConfigurationDocument2) {
  const payload = Buffer.from(JSON.stringify(configuration));
  const envelope = signEnvelope(createEnvelope(CONFIGURATION_PAYLOAD_TYPE, payload), privateKey);
  return {
    version: configuration.version,
    digest: createHash('sha384').update(payload).digest('hex'),
    envelope: new Uint8Array(Buffer.from(JSON.stringify(envelope))),
  };
}

/** Name of the error with which AWS fails what a host is told; undefined: it does not. */
export type Failing = (what: string) => string | undefined;

/** World of fakes: KMS has the policies, hosts run an image or none, and an enclave asks KMS as the real one does. */
export interface World {
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
  failing: Failing;
  /** Nodes whose hosts answer nothing. */
  readonly dead: Set<number>;
  /** Number of the host that a stack has launched last, by node; none: there is no stack. */
  readonly launched: Map<number, number>;
  now: number;
  /** Configuration that each node has in force, as its sealed store knows it. */
  readonly inForce: Map<number, { readonly version: number; readonly digest: string }>;
}
/** World of the test that runs. */
export const world = {} as World;

export const release = (image: 'old' | 'new'): ReleaseFiles => ({
  version: VERSIONS[image],
  pcrJson: new Uint8Array(Buffer.from(formatPcrFile(IMAGES[image]))),
  image: { sha384: (image === 'old' ? 'aa' : 'bb').repeat(48), bytes: 3 },
  readImage: () => Promise.resolve(new Uint8Array(Buffer.from(image))),
});

export function policyOf(node: number, image: 'old' | 'new'): string {
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

export async function attest(node: number, image: 'old' | 'new', nonce: string): Promise<Uint8Array> {
  const nsm = createNsmClient(
    new EmulatedNsm({
      root: world.root,
      instanceId: 'i-0123456789abcdef0',
      moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      measured: IMAGES[image],
      clock: () => world.now,
    }),
  );
  await nsm.extendPcr(16, createHash('sha384').update(manifestOf(node)).digest());
  await nsm.lockPcr(16);
  return await nsm.attest({ nonce: Buffer.from(nonce, 'hex') });
}

export interface Sent {
  readonly constructor: { readonly name: string };
  readonly input: Record<string, unknown>;
}

/** AWS as one role sees it. */
export function awsOf(role: Role): StepContext['aws'] {
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
        answers.set(id, await runLine(line ?? '', objects));
        return { Command: { CommandId: id } };
      }
      case 'GetCommandInvocationCommand': {
        const answer = answers.get(String(input['CommandId'])) ?? '';
        return { Status: answer === '' ? 'TimedOut' : 'Success', StandardOutputContent: answer };
      }
      default:
        return answerAboutStack(name, input);
    }
  };
  const client = () => Promise.resolve({ send } as never);
  return { cloudFormation: client, kms: client, lambda: client, s3: client, ssm: client, sts: client };
}

const PARAMETERS = [
  'NodeName',
  'ImageId',
  'InstanceType',
  'SubnetId',
  'KeyArn',
  'NodeBucketName',
  'RoleName',
  'InstanceProfileArn',
  'SecurityGroupId',
];
export const addressOf = (node: number) => `10.0.${world.launched.get(node) ?? 0}.${node}`;

/** CloudFormation with the stacks of the hosts: one that is gone is made anew. */
function answerAboutStack(name: string, input: Record<string, unknown>): unknown {
  const node = Number(/-host-(?<node>\d)$/.exec(String(input['StackName']))?.groups?.['node']);
  const count = world.launched.get(node);
  switch (name) {
    case 'DescribeStacksCommand': {
      if (count === undefined) throw Object.assign(new Error('none'), { name: 'ValidationError' });
      const outputs = { InstanceId: `i-000000${count}${node}`, PrivateIp: addressOf(node) };
      return {
        Stacks: [
          {
            StackName: input['StackName'],
            StackStatus: 'CREATE_COMPLETE',
            ChangeSetId: 'made',
            Parameters: PARAMETERS.map((key) => ({ ParameterKey: key, ParameterValue: '****' })),
            Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
          },
        ],
      };
    }
    case 'GetTemplateCommand':
      return { TemplateBody: 'Resources: {}' };
    case 'GetStackPolicyCommand':
      return { StackPolicyBody: '{}' };
    case 'CreateChangeSetCommand':
      return { Id: 'made' };
    case 'DescribeChangeSetCommand':
      return { Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE', Changes: [] };
    case 'ExecuteChangeSetCommand':
      world.launched.set(node, 1);
      return {};
    default:
      throw new TypeError(`unexpected ${name}`);
  }
}

export async function runLine(line: string, objects: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const prefix = /s3:\/\/[^/]+\/(?<prefix>deployments\/[^ ]+)/.exec(line)?.groups?.['prefix'] ?? '';
  const read = (name: string) => Buffer.from(objects.get(`${prefix}/${name}`) ?? []).toString();
  const { node, nonce } = JSON.parse(read('deployment.json')) as { node: number; nonce: string | null };
  const image = read('enclave.eif') as 'old' | 'new';
  const failure = world.failing(`${node} ${image}`);
  if (failure !== undefined) throw Object.assign(new Error('played'), { name: failure });
  if (world.dead.has(node)) return '';
  world.deployed.push(`${node} ${image}`);
  world.running.set(node, null);
  world.fewest = Math.min(world.fewest, [...world.running.values()].filter((one) => one !== null).length);
  const code = isAdmitted(node, image) ? take(node, read('configuration.json')) : 'KMS_ACCESS_DENIED';
  const admitted = code === null;
  if (admitted) world.running.set(node, image);
  const document = nonce === null ? null : await attest(node, image, nonce);
  return JSON.stringify({
    phase: admitted ? 'serving' : 'halted',
    code,
    attestation: document === null ? null : Buffer.from(document).toString('base64'),
    identity: admitted ? { store: '0a'.repeat(32), epoch: 1, log: { size: 9 } } : null,
  });
}

/** Takes a configuration as a node does that has one in force. @returns the code of the refusal, or null */
function take(node: number, envelope: string): string | null {
  const { payload } = JSON.parse(envelope) as { payload: string };
  const bytes = Buffer.from(payload, 'base64');
  const { version } = JSON.parse(bytes.toString()) as { version: number };
  const digest = createHash('sha384').update(bytes).digest('hex');
  const inForce = world.inForce.get(node);
  if (inForce !== undefined && version < inForce.version) return 'CONFIGURATION_ROLLED_BACK';
  if (inForce?.version === version && digest !== inForce.digest) return 'CONFIGURATION_CONFLICT';
  world.inForce.set(node, { version, digest });
  return null;
}

/** Whether a node's key admits an image at all. */
export function isAdmitted(node: number, image: 'old' | 'new'): boolean {
  return world.policies.get(node)?.includes(hex(IMAGES[image].get(0) ?? new Uint8Array())) === true;
}

/** Takes the host of a node away, so that nothing that it is told comes to it. */
export function kill(node: number): void {
  world.running.set(node, null);
  world.dead.add(node);
}

/** Brings the host of a node back, whose disk has an image that its enclave tries to start with. */
export function revive(node: number, image: 'old' | 'new'): void {
  world.dead.delete(node);
  world.running.set(node, isAdmitted(node, image) ? image : null);
}

export function contextOf(role: Role): StepContext {
  const nodeAt = (url: string) => NODES.find((one) => url.includes(`${addressOf(one)}:`)) ?? 0;
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
    release: (version) => Promise.resolve(release(version === VERSIONS.new ? 'new' : 'old')),
    isRebuilt: () => Promise.resolve(true),
    template: () => Promise.resolve({ text: 'Resources: {}', policy: '{}' }),
    signingFunction: () => Promise.reject(new TypeError('no function is touched')),
    attest: (url, { pcrs }) => {
      const image = world.running.get(nodeAt(url)) ?? null;
      if (image === null || hex(IMAGES[image].get(0) as Uint8Array) !== hex(pcrs.get(0) as Uint8Array))
        return Promise.reject(Object.assign(new Error('another'), { code: 'PCR_MISMATCH' }));
      return Promise.resolve({
        version: world.inForce.get(nodeAt(url))?.version ?? 0,
        log: 'log',
        witness: 'witness',
      });
    },
    clock: () => world.now,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    progress: () => undefined,
  };
}

export const upgrade: Upgrade = {
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
export const ceremony = (change: Partial<Upgrade> = {}) => upgradeCeremony(vault, { ...upgrade, ...change });
export const apply = async (role: Role, change?: Partial<Upgrade>) =>
  await applyRole(contextOf(role), () => undefined, { ceremony: ceremony(change) });
export const applyNodes = async (change?: Partial<Upgrade>) => {
  for (const node of NODES) await apply(`node-${node}`, change);
};
/** Brings all images in beside the old one. */
export const admitAll = async (change?: Partial<Upgrade>) => {
  await applyNodes(change);
  await apply('infrastructure', change);
  await applyNodes(change);
};
export const back = async (role: Role, change: Partial<Upgrade> = {}) =>
  await applyRole(contextOf(role), () => undefined, {
    ceremony: rollBackCeremony(vault, { ...upgrade, ...change }),
  });
export const nameOf = ({ from, to, attempt }: Upgrade) => ({ from, to, attempt });
export const state = async () => await findUpgradeState(vault, world.exchange);
export const parsed = (text: string | undefined) => JSON.parse(text ?? '') as unknown;

export async function tell<Name extends StepName>(
  role: Role,
  step: Name,
  facts: Facts<Name>,
  file?: { name: string; bytes: Uint8Array },
) {
  const told = { facts, files: file === undefined ? [] : [file] };
  const base = (await world.exchange.statement(role, step))?.sequence ?? 0;
  await world.exchange.publish({ role, step }, told, { privateKey, time: '2020-01-01T00:00:00Z', base });
}

/** Begins the world anew: a vault whose ceremony is done, and whose nodes run the old image with their final configurations. */
export async function resetWorld(): Promise<void> {
  const [files, seen] = [
    new Map<string, Uint8Array>(),
    new Map<string, { readonly sequence: number; readonly sha384: string }>(),
  ];
  const fresh: World = {
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
    failing: () => undefined,
    dead: new Set(),
    launched: new Map(NODES.map((node) => [node, 0])),
    now: NOW,
    inForce: new Map(),
  };
  Object.assign(world, fresh);
  const identity = { store: '0a'.repeat(32), epoch: 1, logSize: 5 };
  const hosts = NODES.map((node) => ({ node, instanceId: `i-0000000${node}`, address: addressOf(node) }));
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
  await tell('infrastructure', 'start', { nodes: urls.map(({ node, url }) => ({ node, url, identity })) });
  await tell('infrastructure', 'restart', { nodes: urls });
  const pcrJson = createHash('sha384').update(release('old').pcrJson).digest('hex');
  const pcrs = Object.fromEntries([...IMAGES.old].map(([index, value]) => [String(index), hex(value)]));
  const released = { version: VERSIONS.old, pcrJson, pcrs };
  for (const node of NODES) {
    const [role, bytes] = [`node-${node}`, manifestOf(node)] as const;
    const account = ACCOUNTS[node];
    const keyArn = keyArnOf(node);
    await tell(role, 'kms-stack', { account, region, keyArn, signingKey: null, bucket: 'acme-node' });
    const { pcr16 } = measureManifest(bytes);
    const manifest = createHash('sha384').update(bytes).digest('hex');
    await tell(role, 'manifest', { manifest, pcr16 }, { name: 'manifest.json', bytes });
    await tell(role, 'narrow', { policy: sha384, log: 'log', witness: 'witness' });
    await tell(role, 'release', released);
    const configuration = signedConfiguration(firstConfiguration(node));
    const { version, digest } = configuration;
    world.inForce.set(node, { version, digest });
    await tell(
      role,
      'final-configuration',
      { configuration: digest, version },
      { name: 'configuration.json', bytes: configuration.envelope },
    );
  }
}
