import type { KeyObject } from 'node:crypto';
import { errorCode, InternalError } from '../../shared/errors.ts';
import type { NodeClient } from '../node-client.ts';
import type { NodeTrust } from '../node-identity.ts';
import { QuorumClient } from '../quorum-client.ts';
import type { GatewayLog } from './log.ts';
import { nodeCode, type NodeState, type Readiness } from './readiness.ts';

/** A node that a door may ask, and what it must prove to be. */
export interface GatewayNode {
  readonly url: string;
  readonly trust: NodeTrust;
}

/** A client of the nodes' configuration in whose name a door asks. */
export interface GatewayClient {
  readonly id: string;
  /** Ed25519 private key that signs the client's requests. */
  readonly privateKey: KeyObject;
}

export interface GatewayNodesOptions {
  /** The nodes in the order in which they are asked. */
  readonly nodes: readonly GatewayNode[];
  readonly clients: readonly GatewayClient[];
  readonly log: GatewayLog;
  /** Deadline of one request to a node, in milliseconds. */
  readonly timeoutMs: number;
  /** Age in milliseconds up to which the last answer of a node makes the door ready. */
  readonly readyMs: number;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly clock?: () => number;
}

/** Milliseconds between two questions whether a node serves. */
const CHECK_INTERVAL_MS = 5_000;
/** Milliseconds until the first question after a failure; doubled with each further one. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
/** Milliseconds after which the nodes are asked again whether they know the door's clients. */
const CLIENT_CHECK_MS = 60_000;

/**
 * The nodes behind a door: one verified node, or a quorum with fail-over. Each client has connections of its own, whose
 * nodes are attested before anything is sent, and anew after a restart. The door starts while no node answers; a question
 * in the background, with back-off, says whether one does.
 */
export class GatewayNodes {
  readonly #options: GatewayNodesOptions;
  readonly #clock: () => number;
  readonly #clients: ReadonlyMap<string, QuorumClient>;
  #states: readonly NodeState[];
  #code: string | null = 'STARTING';
  #answeredAt = 0;
  #clientsCheckedAt = 0;
  #failures = 0;
  /** Client that the nodes refused last. */
  #refused: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: GatewayNodesOptions) {
    const { nodes, clients, timeoutMs, log, clock = Date.now } = options;
    if (clients.length === 0) throw new TypeError('clients names at least one client');
    if (nodes.length === 0) throw new TypeError('nodes names at least one node');
    this.#options = options;
    this.#clock = clock;
    this.#states = nodes.map(({ url }) => ({ url, code: 'STARTING' }));
    this.#clients = new Map(
      clients.map(({ id, privateKey }) => [
        id,
        new QuorumClient({
          nodes: nodes.map((node) => ({ ...node, clientId: id, privateKey, timeoutMs, clock })),
          onPassedOver: (url, error) =>
            log.event('warn', 'node.passed-over', { url, client: id, code: errorCode(error) }),
          clock,
        }),
      ]),
    );
  }

  /** Bytes of the manifest of the first node. */
  get manifest(): Uint8Array {
    const [first] = this.#options.nodes;
    if (first === undefined) throw new InternalError('the door has no node');
    return first.trust.manifest;
  }

  /** Ids of the clients in whose name the door asks. */
  get clientIds(): readonly string[] {
    return [...this.#clients.keys()];
  }

  /** The nodes as one of the door's clients sees them: whichever answers. Nothing is sent to a node before its attestation. */
  client(id: string): QuorumClient {
    const client = this.#clients.get(id);
    if (client === undefined) throw new InternalError(`the door has no client ${id}`);
    return client;
  }

  /** Each node by itself, in the order of the configuration, for keys that only one of them has. */
  members(id: string): readonly NodeClient[] {
    return this.client(id).nodes;
  }

  /** Whether a node is verified and answers; asks nobody. */
  get readiness(): Readiness {
    const isStale = this.#clock() - this.#answeredAt > this.#options.readyMs;
    const code = this.#isClosed ? 'STOPPING' : (this.#code ?? (isStale ? 'STALE' : null));
    return { isReady: code === null, code, nodes: this.#states };
  }

  /** Begins to ask, again and again, whether a node serves. */
  start(): void {
    void this.#watch();
  }

  /** Says from now on that the door is not ready. */
  stop(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Closes the connections; requests under way fail with ANSWER_LOST. */
  close(): void {
    this.stop();
    for (const client of this.#clients.values()) client.close();
  }

  /** Asks each node once whether it serves, and where one does, whether the door's clients are known. */
  async check(): Promise<void> {
    const [first] = this.#clients.values();
    if (first === undefined) return;
    const before = this.#code;
    this.#refused = undefined;
    this.#states = await Promise.all(
      this.#states.map(async ({ url }, index): Promise<NodeState> => {
        const code = await first.nodes[index]?.health().then(() => undefined, nodeCode);
        return { url, code };
      }),
    );
    const isReached = this.#states.some(({ code }) => code === undefined);
    if (isReached) {
      this.#code = await this.#checkClients(before);
      this.#answeredAt = this.#clock();
    } else {
      this.#code = this.#states[0]?.code ?? 'NODES_UNREACHABLE';
    }
    this.#failures = this.#code === null ? 0 : this.#failures + 1;
    if (this.#code === before) return;
    if (this.#code === null) this.#options.log.event('info', 'door.ready');
    else this.#options.log.event('warn', 'door.not-ready', { code: this.#code, client: this.#refused });
  }

  /** Asks whether the nodes know each client, after a failure and from time to time. Returns the first refusal's code. */
  async #checkClients(before: string | null): Promise<string | null> {
    const now = this.#clock();
    if (before === null && now - this.#clientsCheckedAt < CLIENT_CHECK_MS) return null;
    for (const [id, client] of this.#clients) {
      const code = await client.keys().then(() => null, nodeCode);
      if (code !== null) {
        this.#refused = id;
        return code;
      }
    }
    this.#clientsCheckedAt = now;
    return null;
  }

  async #watch(): Promise<void> {
    await this.check();
    if (this.#isClosed) return;
    const backOff = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LAST_RETRY_MS);
    const pause = this.#failures === 0 ? CHECK_INTERVAL_MS : backOff;
    this.#timer = setTimeout(() => void this.#watch(), pause);
  }
}
