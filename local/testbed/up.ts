import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ConfigurationDocument2 } from '../../shared/documents/configuration.ts';
import { copyProgram } from '../nitro-host/index.ts';
import { type AwsAccess, writeAwsProfiles } from './aws-profiles.ts';
import { APPROVERS, loadApprovers, SUPPLIER, WEI } from './decision-configuration.ts';
import { makeTransfer } from './ethereum-transfer.ts';
import type { Identity } from './identity.ts';
import { localConfiguration } from './local-configuration.ts';
import { addPools } from './pool-configuration.ts';
import type { StartedNode } from './run-node.ts';
import type { ConfigurationBody2, TestNode } from './test-node.ts';
import { type QuorumMember, TestQuorum } from './test-quorum.ts';
import { openTestbed, type Testbed } from './testbed.ts';
import { type VerificationFiles, writeVerificationFiles } from './verification-files.ts';

type Pcrs = ReadonlyMap<number, Uint8Array>;

/** One node, with the files by which its users verify it. */
export interface LocalNode {
  readonly node: number;
  readonly started: StartedNode;
  /** Folder of the node's files. */
  readonly directory: string;
  readonly files: VerificationFiles & {
    /** Path of the client's Ed25519 private key, PEM. */
    readonly clientKey: string;
  };
  readonly aws: AwsAccess;
}

/** Files by which the rules of a local node can be tried. */
export interface TrialFiles {
  /** Path of an unsigned transfer that the rules permit, in hex. */
  readonly transfer: string;
  /** Path of one that needs the approval of two people. */
  readonly largeTransfer: string;
  /** Path of each approver's Ed25519 private key, PEM, by the approver's id. */
  readonly approvers: Readonly<Record<string, string>>;
}

/** Files and addresses that the user of local nodes gets. */
export interface LocalNodes {
  readonly nodes: readonly [LocalNode, ...LocalNode[]];
  /** Id under which the configurations know the client. */
  readonly clientId: string;
  readonly keys: ConfigurationDocument2['keys'];
  readonly trial: TrialFiles;
  stop(): Promise<void>;
}

export interface UpOptions {
  readonly stateDirectory: string;
  /** Number of nodes, each with its own account, admin, authority and host; the threshold is a majority of them. */
  readonly size: number;
  /** Ports of one node for its clients and for its parent's status page; 0 takes a free one. */
  readonly portsOf: (node: number) => { readonly port: number; readonly statusPort: number };
  readonly clientId: string;
  /** Pool in which the client may make keys; left out: it makes none. */
  readonly pool?: string;
  readonly onConsole?: (line: string) => void;
}

/** Brings up AWS, Nitro hosts and nodes that serve; a second start on the same state finds their keys again. */
export async function bringUp(options: UpOptions): Promise<LocalNodes> {
  const { size, clientId, portsOf, pool, onConsole } = options;
  const stateDirectory = resolve(options.stateDirectory);
  await makeFolder(stateDirectory);
  const program = await copyProgram();
  let testbed: Testbed | undefined;
  let quorum: TestQuorum | undefined;
  const stop = async () => {
    await quorum?.stopAll();
    await testbed?.close();
    await program.remove();
  };
  try {
    testbed = await openTestbed({ stateDirectory });
    const threshold = Math.floor(size / 2) + 1;
    quorum = await TestQuorum.open(testbed, { size, threshold, program: program.folder });
    const pcrs = await testbed.host.measure(program.folder);
    const approvers = await loadApprovers(join(stateDirectory, 'approvers'));
    const bodies = quorum.members.map((member) => {
      const others = quorumOf(quorum?.members ?? [], member);
      const body = localConfiguration({ member: member.testNode, others, pcrs, clientId, approvers });
      const { publicKey } = member.testNode.client;
      return pool === undefined ? body : addPools(body, [{ id: clientId, publicKey, pool }]);
    });
    for (const [index, { testNode }] of quorum.members.entries()) {
      const body = bodies[index];
      if (body !== undefined) await prepare(testNode, pcrs, body);
    }
    const started = await quorum.startAll((node) => ({
      launch: onConsole === undefined ? {} : { onConsole },
      parent: (honest) => ({
        ...honest,
        ingress: { port: portsOf(node).port },
        status: { port: portsOf(node).statusPort },
      }),
    }));
    const nodes: LocalNode[] = [];
    for (const [index, member] of quorum.members.entries()) {
      const running = started[index];
      if (running === undefined) throw new TypeError('expected every node to have been started');
      // The node has its password now: from here on the key policy allows no other to be made.
      if (running.phase === 'serving') {
        await member.testNode.allow(pcrs);
        await writeFile(initialisedPath(member.testNode), '');
      }
      nodes.push(await describeNode(testbed, member, running, pcrs));
    }
    const [first, ...others] = nodes;
    if (first === undefined) throw new RangeError('expected at least one node');
    return {
      nodes: [first, ...others],
      clientId,
      keys: bodies[0]?.keys ?? [],
      trial: await writeTrialFiles(stateDirectory, approvers),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function quorumOf(members: readonly QuorumMember[], { node }: QuorumMember) {
  return members
    .filter((each) => each.node !== node)
    .map((each) => ({ node: each.node, manifestBytes: each.testNode.manifestBytes }));
}

/** Path of a mark left once a node has served: until then a start that was cut off may be tried again. */
function initialisedPath(testNode: TestNode): string {
  return join(testNode.directory, 'initialised');
}

/**
 * Prepares a start: the first is ordered by a signed configuration, which later ones find. A newer version is signed where
 * the present code asks for another, as with peers that run another image.
 */
async function prepare(testNode: TestNode, pcrs: Pcrs, body: ConfigurationBody2): Promise<void> {
  await testNode.allow(pcrs, { initialise: !(await exists(initialisedPath(testNode))) });
  const current = await readCurrent(testNode.configurationPath);
  if (current !== undefined && isDeepStrictEqual(withoutOccasion(current), withoutOccasion(body))) return;
  await testNode.configure({ ...body, version: (current?.version ?? 0) + 1 });
}

/** Reads the configuration that an earlier start has signed. */
async function readCurrent(path: string): Promise<ConfigurationBody2 | undefined> {
  if (!(await exists(path))) return undefined;
  const { payload } = JSON.parse(await readFile(path, 'utf8')) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as ConfigurationBody2;
}

/** Leaves out what differs from one signing to the next: version, order and manifest. */
function withoutOccasion(body: ConfigurationBody2): object {
  return { ...body, version: 0, initialise: null, manifest: null };
}

/** Writes what the user of a node needs; the first node's files lie in the state folder itself. */
async function describeNode(
  testbed: Testbed,
  { node, testNode }: QuorumMember,
  started: StartedNode,
  pcrs: Pcrs,
): Promise<LocalNode> {
  const directory = node === 1 ? testbed.stateDirectory : testNode.directory;
  const folder = join(directory, 'client');
  const files = {
    clientKey: testNode.client.path,
    ...(await writeVerificationFiles(folder, testbed, testNode, pcrs)),
  };
  return { node, started, directory, files, aws: await writeAwsProfiles(folder, testbed, testNode) };
}

/** Writes transfers by which the rules can be tried. */
async function writeTrialFiles(stateDirectory: string, approvers: readonly Identity[]): Promise<TrialFiles> {
  const write = async (name: string, wei: bigint, nonce: bigint) => {
    const { payload } = makeTransfer('', SUPPLIER.address, wei, nonce).request;
    const path = join(stateDirectory, 'client', name);
    if (payload.kind !== 'ethereum-transaction') throw new TypeError('expected a transaction');
    await writeFile(path, `${payload.transaction}\n`);
    return path;
  };
  return {
    transfer: await write('transfer.hex', (WEI * 4n) / 10n, 0n),
    largeTransfer: await write('large-transfer.hex', WEI * 4n, 1n),
    approvers: Object.fromEntries(approvers.map(({ path }, index) => [APPROVERS[index] ?? '', path])),
  };
}

/** Makes a folder. Node's own recursive mkdir never ends below /proc, where a folder that exists takes no other. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || (await exists(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
