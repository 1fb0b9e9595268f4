import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NodeClientOptions } from '../../client/node-client.ts';
import { copyProgram, type Program } from '../../local/nitro-host/index.ts';
import {
  type ConfigurationBody,
  type ConfigurationBody2,
  openTestNode,
  openTestbed,
  runNode,
  type TestNode,
  type StartedNode,
  type Testbed,
} from '../../local/testbed/index.ts';
import type { Parent } from '../../parent/index.ts';
import { bundleEntry } from '../../scripts/image/bundle.ts';
import type { NodePhase } from '../../shared/protocol/control.ts';
import { Child } from './child.ts';
import { ENCLAVE_CORE, startOn } from './cores.ts';
import type { FloorTask } from './floor-process.ts';
import { readImageOptions } from './image-options.ts';
import { readCpuTime } from './process-usage.ts';
import type { ParentTask, ParentTold } from './parent-process.ts';

const HOUR_MS = 3_600_000;
/**
 * Count of clients: a node remembers each request of a minute, and limits them for each client, so that one client
 * could not bear the load of all.
 */
const CLIENTS = 8;
/** Bytes of a response to a request for an Ed25519 signature. */
const ANSWER_BYTES = 250;

/**
 * Program that runs as the enclave: the TypeScript files as they are, or one module, made and started as in an image.
 * `bundle` is the program as an image has it; `noble` is the same without the addon, whose curves are then JavaScript's;
 * `source` is what a bundle is made of.
 */
export type Build = 'source' | 'bundle' | 'noble';

export interface LoadClient {
  readonly id: string;
  readonly privateKey: KeyObject;
}

export interface BenchNode extends Pick<StartedNode, 'url' | 'stop'> {
  readonly enclavePid: number;
  readonly parentPid: number;
  /** Times that the enclave reports of its own start, in milliseconds. */
  readonly times: Readonly<Record<string, number>>;
  /** Processor time of the enclave when it serves, in milliseconds. */
  readonly cpuTime: number;
}

/** A client as a configuration names it. */
export interface ConfiguredClient {
  readonly id: string;
  readonly publicKey: string;
}

export interface BenchStackOptions {
  /** Makes the configuration; one of format 1 with all algorithms and no limits when left out. */
  readonly configure?: (clients: readonly ConfiguredClient[]) => ConfigurationBody | ConfigurationBody2;
  /** True has the parent write the node's log to a folder, as on AWS; otherwise its store keeps the last entries. */
  readonly hasAuditLog?: boolean;
}

/** AWS, a Nitro host and a node's account, on which a node can be started again and again. */
export class BenchStack {
  readonly clients: readonly LoadClient[];
  readonly testbed: Testbed;
  readonly #testNode: TestNode;
  readonly #program: Program;
  readonly #directory: string;
  readonly #hasAuditLog: boolean;
  readonly #bundles: Readonly<Record<'bundle' | 'noble', string>>;
  readonly #pcrs: ReadonlyMap<number, Uint8Array>;

  private constructor(parts: {
    testbed: Testbed;
    testNode: TestNode;
    program: Program;
    directory: string;
    hasAuditLog: boolean;
    bundles: Readonly<Record<'bundle' | 'noble', string>>;
    pcrs: ReadonlyMap<number, Uint8Array>;
    clients: readonly LoadClient[];
  }) {
    this.testbed = parts.testbed;
    this.clients = parts.clients;
    this.#testNode = parts.testNode;
    this.#program = parts.program;
    this.#directory = parts.directory;
    this.#hasAuditLog = parts.hasAuditLog;
    this.#bundles = parts.bundles;
    this.#pcrs = parts.pcrs;
  }

  static async open({
    configure = makeConfiguration,
    hasAuditLog = false,
  }: BenchStackOptions = {}): Promise<BenchStack> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
    const program = await copyProgram();
    const { code } = await bundleEntry('local/enclave-main.ts');
    const bundles = {
      bundle: join(directory, 'bundle/app/enclave.mjs'),
      noble: join(directory, 'noble/app/enclave.mjs'),
    };
    for (const path of Object.values(bundles)) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, code);
    }
    await copyFile(
      join(program.folder, 'build/holdfast.node'),
      join(dirname(bundles.bundle), 'holdfast.node'),
    );
    const testbed = await openTestbed({ stateDirectory: directory });
    const testNode = await openTestNode(testbed, { node: 1 });
    const pcrs = await testbed.host.measure(program.folder);
    await testNode.allow(pcrs, { initialise: true });
    const clients = Array.from({ length: CLIENTS }, (_, index) => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const { x = '' } = publicKey.export({ format: 'jwk' });
      return { id: `backend-${index}`, privateKey, publicKey: Buffer.from(x, 'base64url').toString('hex') };
    });
    await testNode.configure(configure(clients.map(({ id, publicKey }) => ({ id, publicKey }))));
    return new BenchStack({ testbed, testNode, program, directory, hasAuditLog, bundles, pcrs, clients });
  }

  /** Starts a node, with its enclave on a core of its own. */
  async start(build: Build, nodeOptions: readonly string[] = []): Promise<BenchNode> {
    const serving = Promise.withResolvers<BenchNode['times']>();
    const console: string[] = [];
    let parent: Child<ParentTold> | undefined;
    const node = await startOn(ENCLAVE_CORE, () =>
      runNode(this.testbed, this.#testNode, {
        launch: {
          program: this.#program.folder,
          // Node takes the first argument that is no option as the program; the entry's path then has no effect.
          nodeOptions:
            build === 'source'
              ? [...nodeOptions, join(this.#program.folder, 'local/enclave-main.ts')]
              : [...readImageOptions(), ...nodeOptions, this.#bundles[build]],
          onConsole: (line) => {
            console.push(line);
            if (line.startsWith('{"serving"')) {
              serving.resolve((JSON.parse(line) as { serving: BenchNode['times'] }).serving);
            }
          },
        },
        start: async ({ enclaveCid }) => {
          parent = new Child<ParentTold>('./parent-process.ts', this.#parentTask(enclaveCid));
          return await followParent(parent);
        },
      }),
    );
    if (node.phase !== 'serving' || parent === undefined) {
      await node.stop();
      throw new Error(`the node does not serve: ${node.code} ${console.join('\n')}`);
    }
    return {
      url: node.url,
      enclavePid: node.enclave.pid,
      parentPid: parent.pid,
      times: await serving.promise,
      cpuTime: readCpuTime(node.enclave.pid),
      stop: () => node.stop(),
    };
  }

  /** Facts that the node's clients know of it beforehand. */
  get trust(): Pick<NodeClientOptions, 'trust'> {
    const { manifestBytes: manifest } = this.#testNode;
    return { trust: { root: this.testbed.host.rootCertificate, pcrs: this.#pcrs, manifest } };
  }

  /** Starts the floor, which has no work to do but is reached as a node is, through a parent of its own. */
  async startFloor(
    socketDirectory: string,
  ): Promise<{ url: string; serverPid: number; parentPid: number; stop(): Promise<void> }> {
    const cid = this.testbed.host.takeCid();
    const task: FloorTask = { socketDirectory, cid, answerBytes: ANSWER_BYTES };
    const server = await startOn(ENCLAVE_CORE, async () => new Child<object>('./floor-process.ts', task));
    const base = this.#parentTask(cid);
    const parent = new Child<ParentTold>('./parent-process.ts', {
      ...base,
      testbed: { ...base.testbed, host: { socketDirectory } },
    });
    await server.next();
    const told = await parent.next();
    if (!('port' in told)) throw new Error('expected a port from the parent');
    return {
      url: `https://127.0.0.1:${told.port}`,
      serverPid: server.pid,
      parentPid: parent.pid,
      stop: async () => {
        await server.end();
        await parent.end();
      },
    };
  }

  async close(): Promise<void> {
    await this.testbed.close();
    await this.#program.remove();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #parentTask(enclaveCid: number): ParentTask {
    const { manifestPath, configurationPath, secretsDirectory, storePath, manifest } = this.#testNode;
    const { accessKeyId, secretAccessKey, sessionToken } = this.#testNode.infrastructure.parentCredentials();
    return {
      enclaveCid,
      testbed: {
        host: { socketDirectory: this.testbed.host.socketDirectory },
        aws: { port: this.testbed.aws.port },
      },
      testNode: { manifestPath, configurationPath, secretsDirectory, storePath, manifest },
      logDirectory: this.#hasAuditLog ? join(this.#directory, 'log') : null,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    };
  }
}

/** Makes the configuration with which any client may use any algorithm without a limit. */
function makeConfiguration(clients: readonly ConfiguredClient[]): ConfigurationBody {
  return {
    version: 1,
    initialise: {
      id: 'first-start',
      notAfter: new Date(Date.now() + HOUR_MS).toISOString(),
      password: 'generated',
    },
    clients: [...clients],
    keys: [
      { id: 'ed25519', type: 'ed25519' },
      { id: 'p256', type: 'p256' },
      { id: 'secp256k1', type: 'secp256k1' },
    ],
    rules: [
      {
        id: 'all',
        operations: ['sign'],
        clients: clients.map(({ id }) => id),
        keys: ['ed25519', 'p256', 'secp256k1'],
        algorithms: ['ed25519', 'ecdsa-p256-sha256', 'ecdsa-secp256k1', 'bip340'],
        payloads: ['message', 'digest', 'taproot-sighash'],
        rate: null,
      },
    ],
  };
}

/** Follows a parent in another process, as far as a test node's start looks at it. */
async function followParent(child: Child<ParentTold>): Promise<Parent> {
  const first = await child.next();
  if (!('port' in first)) throw new Error('expected a port from the parent');
  let node: Parent['node'] = null;
  const follow = async () => {
    for (;;) {
      const told = await child.next();
      if ('phase' in told) {
        const now = Date.now();
        node = { phase: told.phase as NodePhase, code: told.code, since: now, heardAt: now };
      }
    }
  };
  follow().catch(() => undefined);
  return {
    get node() {
      return node;
    },
    ingress: { host: '127.0.0.1', port: first.port },
    approvals: undefined,
    witness: undefined,
    statusUrl: undefined,
    peers: undefined,
    reloadTargets: () => undefined,
    reloadPeers: () => undefined,
    disconnectEnclave: () => undefined,
    close: () => child.end(),
  };
}
