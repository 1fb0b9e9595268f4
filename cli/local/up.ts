import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { CLIENT } from '../../local/demo/index.ts';
import { bringUp, type KmsGateway, type LocalNodes, startKmsGateway } from '../../local/testbed/index.ts';
import { parseManifest } from '../../shared/documents/manifest.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { type Io, type Outcome, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { writeOutput } from '../common/output-file.ts';
import { PROFILE_NAME } from '../common/profile-file.ts';
import type { SettingName } from '../common/settings.ts';

export interface LocalUpInput {
  readonly stateDirectory: string;
  /** Number of nodes. */
  readonly size: number;
  /** Ports of the first node; those of the others follow. 0 takes free ones. */
  readonly port: number;
  readonly statusPort: number;
  /** Port of a door for KMS clients, and the command that it is run by; undefined: there is none. */
  readonly gateway: { readonly port: number; readonly holdfast: readonly [string, string] } | undefined;
  readonly json: boolean;
  readonly io: Io;
}

/** Pool in which the door's clients make their keys. */
const POOL = 'kms';
const STOPPED: Outcome = { ok: true, text: 'stopped', data: { event: 'stopped' } };

/** Runs local nodes until the user stops them or the last one ends. */
export async function localUp(input: LocalUpInput): Promise<Outcome> {
  const { stateDirectory, size, port, statusPort, json, io } = input;
  const isNew = await isEmpty(stateDirectory);
  if (!isNew) await assertSize(stateDirectory, size);
  let gateway: KmsGateway | undefined;
  const portOf = (first: number, node: number) => (first === 0 ? 0 : first + node - 1);
  const local = await bringUp({
    stateDirectory,
    size,
    portsOf: (node) => ({ port: portOf(port, node), statusPort: portOf(statusPort, node) }),
    clientId: CLIENT,
    ...(input.gateway === undefined ? {} : { pool: POOL }),
  }).catch((error: unknown) => {
    throw isNew ? explain(error, input) : explainState(error, input);
  });
  try {
    const refused = local.nodes.find(({ started }) => started.code !== null);
    // Ctrl-C on a terminal ends the enclaves as well, which is no failure.
    if (refused !== undefined && io.signal.aborted) return STOPPED;
    if (refused !== undefined) {
      const { node, started } = refused;
      const text = `node ${node} refused to start: ${started.code ?? ''}`;
      return { ok: false, text, data: { event: 'refused', node, code: started.code } };
    }
    const profiles = await writeProfiles(local);
    gateway = await openGateway(local, profiles, input);
    // A script waits for this one line.
    io.stdout.write(
      json
        ? `${JSON.stringify(describeForPrograms(local, profiles, gateway))}\n`
        : describe(local, profiles, gateway),
    );
    return await waitForTheEnd(local, input);
  } finally {
    await gateway?.stop();
    await local.stop();
  }
}

/** Starts a door in front of the nodes, where one is asked for. */
async function openGateway(
  { nodes: [{ files }], clientId }: LocalNodes,
  [first = '', ...others]: readonly string[],
  { gateway, stateDirectory }: LocalUpInput,
): Promise<KmsGateway | undefined> {
  if (gateway === undefined) return undefined;
  return await startKmsGateway({
    ...gateway,
    folder: join(resolve(stateDirectory), 'gateway'),
    profiles: [resolve(first), ...others.map((path) => resolve(path))],
    clients: [{ id: clientId, keyPath: files.clientKey, pool: POOL }],
  });
}

/** Waits until the user stops the nodes, or all have ended; says of each that ends that it has. */
async function waitForTheEnd({ nodes }: LocalNodes, { json, io }: LocalUpInput): Promise<Outcome> {
  const { signal } = io;
  let last = 'NO_WORD';
  const ends = nodes.map(async ({ node, started: { enclave, parent } }) => {
    await enclave.exited;
    if (signal.aborted) return;
    last = parent.node?.code ?? 'NO_WORD';
    if (nodes.length === 1) return;
    const text = `node ${node} has ended: ${last}`;
    io.stdout.write(json ? `${JSON.stringify({ event: 'node-ended', node, code: last })}\n` : `${text}\n`);
  });
  const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  await Promise.race([aborted, Promise.all(ends)]);
  if (signal.aborted) return STOPPED;
  const text = nodes.length === 1 ? `the node has ended: ${last}` : 'all nodes have ended';
  return { ok: false, text, data: { event: 'ended', code: last } };
}

/** Asserts that the state of an earlier run has as many nodes. @throws CliError STATE_OTHER_SIZE */
async function assertSize(stateDirectory: string, size: number): Promise<void> {
  const manifest = await readFile(join(stateDirectory, 'node-1', 'manifest.json')).catch(() => undefined);
  if (manifest === undefined) return;
  let actual: number;
  try {
    actual = parseManifest(manifest).quorum.size;
  } catch {
    // A manifest that is none is what the start itself finds.
    return;
  }
  if (actual === size) return;
  throw new CliError(
    'STATE_OTHER_SIZE',
    'an earlier run has left nodes of another quorum there: give another --state, or the --nodes of then',
    { state: stateDirectory, expected: size, actual },
  );
}

/** Turns the system's refusals of the folder or the port into usage errors. */
function explain(error: unknown, { stateDirectory, port, statusPort, size }: LocalUpInput): unknown {
  const system = error instanceof HoldfastError && error.code === 'OPTION_INVALID' ? error.cause : error;
  const code =
    system instanceof Error && 'syscall' in system && 'code' in system ? String(system.code) : undefined;
  if (code === undefined) return error;
  return code === 'EADDRINUSE' || (code === 'EACCES' && port !== 0 && port < 1024)
    ? new UsageError(
        `--port ${port} or --status-port ${statusPort}${size === 1 ? '' : `, or one of the ${size - 1} after it,`} cannot be had: ${code}`,
      )
    : new UsageError(`--state ${stateDirectory} cannot be used: ${code}`);
}

/** Turns a parser's refusal of the state that an earlier run has left into a coded error. */
function explainState(error: unknown, input: LocalUpInput): unknown {
  const explained = explain(error, input);
  if (
    explained instanceof UsageError ||
    (explained instanceof HoldfastError && explained.code !== 'INTERNAL')
  ) {
    return explained;
  }
  return new CliError(
    'STATE_DAMAGED',
    'the state of an earlier run cannot be used: give another --state, or move this folder away',
    { state: input.stateDirectory, problem: nameProblem(error) },
  );
}

/** Names a problem by the error's kind: the message of a parser quotes its input, and keys lie there. */
function nameProblem(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.length === 0;
}

/** Writes a profile for each node by which other commands find it: HOLDFAST_PROFILE names it. */
async function writeProfiles({ nodes, clientId }: LocalNodes): Promise<readonly string[]> {
  const paths = nodes.map(({ directory }) => join(directory, PROFILE_NAME));
  for (const [index, { started, files }] of nodes.entries()) {
    const path = paths[index] ?? '';
    const { statusUrl } = started.parent;
    const settings = {
      url: started.url,
      ...(statusUrl === undefined ? {} : { status: statusUrl }),
      root: files.root,
      pcrs: files.pcrs,
      manifest: files.manifest,
      client: clientId,
      key: files.clientKey,
      ...(nodes.length === 1 ? {} : { nodes: paths.filter((other) => other !== path) }),
    } satisfies Partial<Record<SettingName, string | readonly string[]>>;
    await writeOutput(path, `# Written by "holdfast local up" at each start.\n${stringify(settings)}`, {
      mode: 0o600,
    });
  }
  return paths;
}

/** Describes nodes for programs: the first one by itself, and all of them where they are several. */
function describeForPrograms(
  { nodes, clientId, keys, trial }: LocalNodes,
  profiles: readonly string[],
  gateway: KmsGateway | undefined,
) {
  const all = nodes.map(({ node, started: { url, parent, enclave }, files, aws }, index) => ({
    node,
    url,
    status: parent.statusUrl,
    pid: enclave.pid,
    files,
    profile: profiles[index],
    aws,
  }));
  const { node: _, ...first } = all[0] ?? { node: 0 };
  return {
    event: 'serving',
    ...first,
    clientId,
    keys: keys.map(({ id, type }) => ({ id, type })),
    trial,
    ...(all.length === 1 ? {} : { nodes: all }),
    ...(gateway === undefined ? {} : { gateway: describeGateway(gateway) }),
  };
}

function describeGateway({ endpoint, region, pid, configuration, aws }: KmsGateway) {
  return { endpoint, region, pid, configuration, aws };
}

function describe(
  { nodes, keys, trial }: LocalNodes,
  profiles: readonly string[],
  gateway: KmsGateway | undefined,
): string {
  const [{ aws }] = nodes;
  const isQuorum = nodes.length > 1;
  const [approver = '', keyFile = ''] = Object.entries(trial.approvers)[0] ?? [];
  return [
    ...nodes.flatMap(({ node, started: { url, parent, enclave } }) => [
      isQuorum
        ? `Node ${node} of ${nodes.length} serves at ${url}, process ${enclave.pid}`
        : `A policy node serves at ${url}`,
      `its parent's status    ${parent.statusUrl ?? ''}/status`,
    ]),
    `${isQuorum ? 'their keys  ' : 'its keys    '}           ${keys.map(({ id, type }) => `${id} (${type})`).join(', ')}`,
    '',
    "In another terminal, in the project's folder:",
    `  export HOLDFAST_PROFILE=${quote(profiles[0] ?? '')}`,
    '  ./holdfast profile show',
    '  ./holdfast node status',
    '  ./holdfast node attest',
    '  ./holdfast node keys',
    `  ./holdfast node sign audit-log --digest ${'11'.repeat(32)}`,
    '',
    'Its rules read transactions: the first transfer is signed at once, the second needs two approvals:',
    `  ./holdfast node sign ethereum-hot --kind ethereum-transaction --transaction ${quote(trial.transfer)}`,
    `  ./holdfast node sign ethereum-hot --kind ethereum-transaction --transaction ${quote(trial.largeTransfer)}`,
    `  ./holdfast approve sign ID --approver ${approver} --key ${quote(keyFile)}`,
    '  ./holdfast node resume ID',
    ...(isQuorum ? describeQuorum(nodes) : []),
    '',
    `Its AWS, KMS and Secrets Manager, is at ${aws.endpoint}, for the AWS CLI and every SDK:`,
    // A key in the environment would win over the profile.
    '  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN',
    `  export AWS_CONFIG_FILE=${quote(aws.files.config)} AWS_SHARED_CREDENTIALS_FILE=${quote(aws.files.credentials)}`,
    `  export AWS_CA_BUNDLE=${quote(aws.files.caBundle)} AWS_PROFILE=${aws.profiles.account}`,
    `  aws kms list-keys --endpoint-url ${aws.endpoint}`,
    `  aws kms get-key-policy --key-id ${aws.keyArn} --profile ${aws.profiles.nodeAdmin} --endpoint-url ${aws.endpoint}`,
    ...(gateway === undefined ? [] : describeDoor(gateway)),
    '',
    `Ctrl-C stops ${isQuorum ? 'them; the next start finds their' : 'it; the next start finds its'} keys again.`,
    '',
  ].join('\n');
}

/** Lines by which the door is tried: a key that an enclave makes, and a signature by it. */
function describeDoor({ endpoint, aws }: KmsGateway): string[] {
  return [
    '',
    `A door for KMS clients is at ${endpoint}; keys that they make are the node's, and stay in its enclave:`,
    '  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CA_BUNDLE',
    `  export AWS_CONFIG_FILE=${quote(aws.config)} AWS_SHARED_CREDENTIALS_FILE=${quote(aws.credentials)}`,
    `  export AWS_PROFILE=${aws.profile}`,
    `  K=$(aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY --query KeyMetadata.KeyId --output text --endpoint-url ${endpoint})`,
    `  aws kms sign --key-id $K --message fileb://${quote(aws.config)} --message-type RAW --signing-algorithm ECDSA_SHA_256 --endpoint-url ${endpoint}`,
  ];
}

/** Lines by which a quorum is tried: a key, a signature, and what a dead node changes. */
function describeQuorum(nodes: LocalNodes['nodes']): string[] {
  const dead = nodes.at(-1);
  return [
    '',
    'The nodes share keys that no place holds whole:',
    '  ./holdfast quorum status',
    '  ./holdfast quorum keys generate treasury',
    `  ./holdfast quorum sign treasury --message ${Buffer.from('a transfer').toString('hex')}`,
    '  ./holdfast quorum refresh treasury',
    `and sign without node ${dead?.node ?? ''} as well: kill -9 ${dead?.started.enclave.pid ?? ''}`,
  ];
}

/** Quotes a path for a POSIX shell. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
