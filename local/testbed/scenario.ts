import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigurationDocument1 } from '../../shared/documents/configuration.ts';
import {
  createMemoryStore,
  type HostileScripts,
  type MemoryStore,
  startHostileParent,
} from '../hostile-parent/index.ts';
import { copyProgram, type LaunchOptions, type NitroHost, type Program } from '../nitro-host/index.ts';
import type { ParentOptions } from '../../parent/index.ts';
import { runNode, type StartedNode } from './run-node.ts';
import { type ConfigurationBody, openTestNode, type TestNode } from './test-node.ts';
import { openTestbed, type Testbed } from './testbed.ts';

const HOUR_MS = 3_600_000;
const QUORUM = { size: 5, threshold: 3 };

/** Id of the client that may sign. */
export const CLIENT = 'wallet-backend';

/** Keys of the demonstration, and a rule for each. */
export const DEMO_KEYS: ConfigurationDocument1['keys'] = [
  { id: 'ethereum-hot', type: 'secp256k1' },
  { id: 'bitcoin-hot', type: 'secp256k1' },
  { id: 'solana-hot', type: 'ed25519' },
  { id: 'audit-log', type: 'p256' },
];
export const DEMO_RULES: ConfigurationDocument1['rules'] = [
  makeRule('ethereum-digests', 'ethereum-hot', ['ecdsa-secp256k1'], ['digest']),
  makeRule('bitcoin-taproot', 'bitcoin-hot', ['bip340'], ['digest', 'taproot-sighash']),
  makeRule('solana-messages', 'solana-hot', ['ed25519'], ['message']),
  makeRule('audit-entries', 'audit-log', ['ecdsa-p256-sha256'], ['message', 'digest']),
];

function makeRule(
  id: string,
  key: string,
  algorithms: ConfigurationDocument1['rules'][number]['algorithms'],
  payloads: ConfigurationDocument1['rules'][number]['payloads'],
): ConfigurationDocument1['rules'][number] {
  return { id, operations: ['sign'], clients: [CLIENT], keys: [key], algorithms, payloads, rate: null };
}

export interface StartOptions extends HostileScripts {
  readonly launch?: Partial<LaunchOptions>;
  readonly parent?: Partial<ParentOptions>;
  /** Nitro host to start on; the testbed's own when left out. */
  readonly host?: NitroHost;
}

/** One node on one machine with a store that can be rolled back: where the demonstration and the refusals play. */
export class Scenario {
  readonly testbed: Testbed;
  readonly testNode: TestNode;
  readonly store: MemoryStore;
  /** Code of the enclave, and its PCR0, PCR1 and PCR2. */
  readonly program: Program;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly #programs: Program[] = [];

  private constructor(
    testbed: Testbed,
    testNode: TestNode,
    program: Program,
    pcrs: ReadonlyMap<number, Uint8Array>,
  ) {
    this.testbed = testbed;
    this.testNode = testNode;
    this.store = createMemoryStore();
    this.program = program;
    this.pcrs = pcrs;
  }

  /** Makes the node's account, and lets the present code use its key, once with GenerateDataKey. */
  static async open(stateDirectory: string, node = 1): Promise<Scenario> {
    const program = await copyProgram();
    return await Scenario.on(await openTestbed({ stateDirectory }), program, node);
  }

  /** Opens a scenario of another node in the same testbed. */
  static async on(testbed: Testbed, program: Program, node: number): Promise<Scenario> {
    const testNode = await openTestNode(testbed, { node, quorum: QUORUM });
    const scenario = new Scenario(testbed, testNode, program, await testbed.host.measure(program.folder));
    await testNode.allow(scenario.pcrs, { initialise: true });
    await testNode.configure(scenario.configuration(1, 'initialise-1'));
    return scenario;
  }

  /** Opens a scenario of another node beside this one. */
  beside(node: number): Promise<Scenario> {
    return Scenario.on(this.testbed, this.program, node);
  }

  /** Makes a configuration of a version; with an order to initialise when one is named. */
  configuration(version: number, order?: string): ConfigurationBody {
    return {
      version,
      ...(order === undefined
        ? {}
        : {
            initialise: {
              id: order,
              notAfter: new Date(Date.now() + HOUR_MS).toISOString(),
              password: 'generated',
            },
          }),
      clients: [{ id: CLIENT, publicKey: this.testNode.client.publicKey }],
      keys: DEMO_KEYS,
      rules: DEMO_RULES,
    };
  }

  /** Starts the node behind a parent that is as hostile as the options say. */
  start({ launch, parent, host = this.testbed.host, ...scripts }: StartOptions = {}): Promise<StartedNode> {
    return runNode(this.testbed, this.testNode, {
      host,
      launch: { program: this.program.folder, ...launch },
      parent: (honest) => ({ ...honest, store: this.store, ...parent }),
      start: (options) => startHostileParent({ ...options, ...scripts }),
    });
  }

  /** Starts the node, sees how it fails, and takes it down again; returns `SERVING` when it did not fail. */
  async attempt(options: StartOptions = {}): Promise<string> {
    const node = await this.start(options);
    await node.stop();
    return node.code ?? 'SERVING';
  }

  /** Asserts that the node serves an honest parent. @throws Error when it does not */
  async assertServes(): Promise<void> {
    const code = await this.attempt();
    if (code !== 'SERVING') throw new Error(`expected a node that serves, found ${code}`);
  }

  /** Copies the enclave's code with one file changed: another image. */
  async changedProgram(path: string, change: (code: string) => string): Promise<string> {
    const program = await copyProgram(async (folder) => {
      const file = join(folder, path);
      await writeFile(file, change(await readFile(file, 'utf8')));
    });
    this.#programs.push(program);
    return program.folder;
  }

  async close(): Promise<void> {
    for (const program of [this.program, ...this.#programs]) await program.remove();
    await this.testbed.close();
  }
}
