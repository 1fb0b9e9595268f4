import { join } from 'node:path';
import { type Parent, type ParentOptions, startParent } from '../../parent/index.ts';
import type { LaunchOptions, NitroHost } from '../nitro-host/index.ts';
import { LoopbackDoor } from './loopback-door.ts';
import { runNode, type StartedNode } from './run-node.ts';
import { openTestNode, type TestNode } from './test-node.ts';
import type { Testbed } from './testbed.ts';

/** One node of a quorum: its own account, admin, authority and host. */
export interface QuorumMember {
  readonly node: number;
  readonly testNode: TestNode;
  readonly host: NitroHost;
}

export interface TestQuorumOptions {
  readonly size: number;
  readonly threshold: number;
  /** Folder whose code is measured and run, on nodes for which a start names no other. */
  readonly program: string;
  /** Namespace of the manifests, and the recovery key that they name; those of `openTestNode` when left out. */
  readonly namespace?: string;
  readonly recoveryKey?: string;
}

export interface StartMemberOptions {
  readonly launch?: Partial<LaunchOptions>;
  /** Changes the options of the parent: its ports, its store. */
  readonly parent?: (options: ParentOptions) => ParentOptions;
  /** Starts the parent; the real one when left out. */
  readonly startParent?: (options: ParentOptions) => Promise<Parent>;
}

/** Quorum on one machine: nodes on hosts of their own, whose parents reach each other over loopback. */
export class TestQuorum {
  readonly members: readonly QuorumMember[];
  readonly threshold: number;
  readonly #testbed: Testbed;
  readonly #program: string;
  readonly #parents = new Map<number, Parent>();
  readonly #running = new Map<number, StartedNode>();
  /** Where each node is asked as a witness, and the key by which it cosigns; none before they were named. */
  #witnesses: ReadonlyMap<number, { readonly door: LoopbackDoor; readonly key: string }> = new Map();
  #logs = 0;

  private constructor(
    testbed: Testbed,
    members: readonly QuorumMember[],
    { threshold, program }: TestQuorumOptions,
  ) {
    this.#testbed = testbed;
    this.members = members;
    this.threshold = threshold;
    this.#program = program;
  }

  /** Makes accounts, keys, manifests and hosts, or finds them again in the testbed's state. */
  static async open(testbed: Testbed, options: TestQuorumOptions): Promise<TestQuorum> {
    const { size, threshold, namespace, recoveryKey } = options;
    const members: QuorumMember[] = [];
    for (let node = 1; node <= size; node += 1) {
      const testNode = await openTestNode(testbed, {
        node,
        quorum: { size, threshold },
        ...(namespace === undefined ? {} : { namespace }),
        ...(recoveryKey === undefined ? {} : { recoveryKey }),
        authority: node === 1 ? 'authority' : `authority-${node}`,
      });
      const host = node === 1 ? testbed.host : await testbed.addHost();
      members.push({ node, testNode, host });
    }
    return new TestQuorum(testbed, members, options);
  }

  /** Nodes whose enclave has been started and not been stopped since. */
  get running(): ReadonlyMap<number, StartedNode> {
    return this.#running;
  }

  /** Gives a node by its number. @throws RangeError */
  member(node: number): QuorumMember {
    const found = this.members.find((each) => each.node === node);
    if (found === undefined) throw new RangeError(`the quorum has no node ${node}`);
    return found;
  }

  /**
   * Has parents ask the other nodes for cosignatures, from their next start on.
   *
   * @param keys verifier key by which each node cosigns, by its number
   */
  async nameWitnesses(keys: ReadonlyMap<number, string>): Promise<void> {
    await this.#closeDoors();
    const named = [...keys].map(async ([node, key]) => {
      const door = await LoopbackDoor.open(() => this.#parents.get(node)?.witness?.port);
      return [node, { door, key }] as const;
    });
    this.#witnesses = new Map(await Promise.all(named));
  }

  /** Starts all nodes at the same time, since one may wait for others. */
  async startAll(optionsOf: (node: number) => StartMemberOptions = () => ({})): Promise<StartedNode[]> {
    const started = await Promise.allSettled(
      this.members.map(({ node }) => this.start(node, optionsOf(node))),
    );
    const failed = started.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      await this.stopAll();
      throw failed.reason;
    }
    return started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** Starts a node, and waits until it serves or fails. */
  async start(node: number, options: StartMemberOptions = {}): Promise<StartedNode> {
    const { testNode, host } = this.member(node);
    const { launch, parent: change = (unchanged) => unchanged, startParent: begin = startParent } = options;
    const started = await runNode({ aws: this.#testbed.aws, host }, testNode, {
      host,
      launch: { program: this.#program, ...launch },
      parent: (honest) => change({ ...honest, ...this.#peersOf(node), ...this.#witnessesOf(node) }),
      start: async (parentOptions) => {
        const parent = await begin(parentOptions);
        this.#parents.set(node, parent);
        this.#announce();
        return parent;
      },
    }).catch((error: unknown) => {
      this.#parents.delete(node);
      throw error;
    });
    this.#running.set(node, started);
    return started;
  }

  /** Ends a node's enclave at once and closes its parent; nothing where the node does not run. */
  async stop(node: number): Promise<void> {
    const started = this.#running.get(node);
    this.#running.delete(node);
    this.#parents.delete(node);
    await started?.stop();
    this.#announce();
  }

  async stopAll(): Promise<void> {
    for (const { node } of this.members) await this.stop(node);
  }

  /** Stops all nodes for good. */
  async close(): Promise<void> {
    await this.stopAll();
    await this.#closeDoors();
  }

  async #closeDoors(): Promise<void> {
    for (const { door } of this.#witnesses.values()) await door.close();
  }

  /** Options by which a parent has its node's log witnessed, and lets its node witness others. */
  #witnessesOf(node: number): Pick<ParentOptions, 'witness' | 'auditLog'> {
    if (!this.#witnesses.has(node)) return {};
    this.#logs += 1;
    const others = [...this.#witnesses].filter(([other]) => other !== node);
    return {
      witness: { port: 0 },
      auditLog: {
        // A folder of its own for each start: a store that was rolled back has an older log.
        directory: join(this.#testbed.stateDirectory, `log-${node}-${this.#logs}`),
        witnesses: others.map(([, { door, key }]) => ({ url: door.url, key })),
      },
    };
  }

  /** Options of a parent's way to other nodes, of which a single node has none. */
  #peersOf(node: number): Pick<ParentOptions, 'peers'> {
    return this.members.length === 1 ? {} : { peers: { node, nodes: [], listen: { port: 0 } } };
  }

  /** Tells every parent where the parents of the other nodes are. */
  #announce(): void {
    for (const [node, parent] of this.#parents) {
      const others = this.members.filter((each) => each.node !== node);
      parent.reloadPeers(
        others.map((other) => {
          const address = this.#parents.get(other.node)?.peers;
          return { node: other.node, ...(address === undefined ? {} : { address }) };
        }),
      );
    }
  }
}
