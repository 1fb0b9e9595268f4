import { AttestationError } from '../attestation/index.ts';
import type { ExplainResponse, KeyInfo, SignRequest } from '../shared/api/bodies.ts';
import type { Ceremony, QuorumStatus, ReshareRequest } from '../shared/api/quorum.ts';
import { errorCode } from '../shared/errors.ts';
import { ClientError, NodeRefusal } from './errors.ts';
import type { SealKeyForNode } from './key-import.ts';
import { NodeClient, type NodeClientOptions } from './node-client.ts';
import type { Begun, WaitOptions } from './node-quorum.ts';
import type { Signed } from './responses.ts';

/** Options of {@link connectQuorum}. */
export interface QuorumClientOptions {
  /** How each node is reached, and what is known of it beforehand; the first that serves is asked first. */
  readonly nodes: readonly NodeClientOptions[];
  /** Called when a node is passed over, with the error that it met. */
  readonly onPassedOver?: (url: string, error: Error) => void;
  /** Returns the time in milliseconds since 1970. Default: Date.now. */
  readonly clock?: () => number;
}

/** Milliseconds for which a node that was passed over is asked last. */
const AVOIDED_MS = 5_000;
/** Codes of refusals that come before a node decides anything. */
const NOT_CARRIED_OUT: readonly string[] = ['STOPPING', 'OVERLOADED', 'REPLAY_CACHE_FULL'];
/** Codes of a connection that may have broken after the request was carried out. */
const UNCERTAIN: readonly string[] = ['ANSWER_LOST', 'ANSWER_TIMEOUT'];

interface Member {
  readonly url: string;
  readonly client: NodeClient;
  isConnected: boolean;
  /** Until when others are asked first, in milliseconds since 1970. */
  avoidedUntil: number;
}

/**
 * Connects to a quorum by any of its nodes: verifies the first that serves as `connectNode` does, and each other one
 * before anything is sent to it.
 *
 * @throws ClientError NODES_UNREACHABLE with each node's code in `details.nodes`
 * @throws TypeError for options of the wrong kind, and for no node
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectQuorum } from '@holdfast-nodes/holdfast/client';
 *
 * const pcrs = parsePcrFile(await readFile('pcr.json'));
 * const manifest = await readFile('manifest.json'); // each node has its own
 * const privateKey = createPrivateKey(await readFile('client.pem'));
 * const quorum = await connectQuorum({
 *   nodes: ['https://node-1.example:8443', 'https://node-2.example:8443'].map((url) => ({
 *     url,
 *     trust: { root: AWS_NITRO_ROOT_G1, pcrs, manifest },
 *     clientId: 'backend',
 *     privateKey,
 *   })),
 * });
 * const { signature } = await quorum.sign({
 *   key: 'treasury',
 *   algorithm: 'frost-ed25519',
 *   payload: { kind: 'message', message: Buffer.from('a transfer').toString('hex') },
 * });
 * console.log(signature.length); // 128
 * quorum.close();
 * ```
 */
export async function connectQuorum(options: QuorumClientOptions): Promise<QuorumClient> {
  const quorum = new QuorumClient(options);
  try {
    await quorum.withNode((node) => node.attest(), { isRepeatable: true });
    return quorum;
  } catch (error) {
    quorum.close();
    throw error;
  }
}

/**
 * A client of several nodes of one quorum. A node that is dead, stopping or overloaded is passed over, and another one
 * asked, where that is known to be harmless: nothing was sent, the node has refused before it decided, or the request
 * only reads. A request whose response was lost may have been carried out and is never sent to another node: that is
 * ANSWER_LOST or ANSWER_TIMEOUT for the caller.
 *
 * Methods throw ClientError NODES_UNREACHABLE where every node was passed over, and what those of NodeClient throw.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectQuorum } from '@holdfast-nodes/holdfast/client';
 *
 * const pcrs = parsePcrFile(await readFile('pcr.json'));
 * const manifest = await readFile('manifest.json'); // each node has its own
 * const privateKey = createPrivateKey(await readFile('client.pem'));
 * const quorum = await connectQuorum({
 *   nodes: ['https://node-1.example:8443', 'https://node-2.example:8443'].map((url) => ({
 *     url,
 *     trust: { root: AWS_NITRO_ROOT_G1, pcrs, manifest },
 *     clientId: 'backend',
 *     privateKey,
 *   })),
 * });
 * const { ceremony } = await quorum.refresh('treasury');
 * const progress = [];
 * const { epoch } = await quorum.waitFor(ceremony, {
 *   onProgress: ({ step, waitingFor }) => progress.push(`${step} ${waitingFor.join()}`),
 * });
 * console.log(epoch, progress[0]); // 2 commit 3
 * quorum.close();
 * ```
 */
export class QuorumClient {
  readonly #members: readonly Member[];
  readonly #onPassedOver: NonNullable<QuorumClientOptions['onPassedOver']>;
  readonly #clock: () => number;
  /** The node that was given each request that waits, and each ceremony. */
  readonly #holders = new Map<string, Member>();

  constructor({ nodes, onPassedOver = () => undefined, clock = Date.now }: QuorumClientOptions) {
    if (nodes.length === 0) throw new TypeError('nodes names at least one node');
    this.#members = nodes.map((options) => ({
      url: options.url,
      client: new NodeClient(options),
      isConnected: false,
      avoidedUntil: 0,
    }));
    this.#onPassedOver = onPassedOver;
    this.#clock = clock;
  }

  /**
   * Signs with a key of the quorum by any node: {@link NodeClient.sign}. That node has the others decide and sign, too.
   *
   * @throws ClientError APPROVALS_NEEDED; `resume` of this client asks the same node again
   */
  async sign(request: SignRequest): Promise<Signed> {
    return await this.#attempt(this.#inOrder(), false, async (member) => {
      try {
        return await member.client.sign(request);
      } catch (error) {
        if (error instanceof ClientError && error.code === 'APPROVALS_NEEDED')
          this.#holders.set(String(error.details['id']), member);
        throw error;
      }
    });
  }

  /** Carries out a request that waited and is approved: {@link NodeClient.resume}, which may be repeated. */
  async resume(id: string): Promise<Signed> {
    return await this.#attempt(this.#holding(id), true, ({ client }) => client.resume(id), 'REQUEST_UNKNOWN');
  }

  /** Asks what a node would decide: {@link NodeClient.explain}. */
  async explain(request: SignRequest): Promise<ExplainResponse> {
    return await this.withNode((node) => node.explain(request), { isRepeatable: true });
  }

  /** Lists the keys that the configuration names. */
  async keys(): Promise<readonly KeyInfo[]> {
    return await this.withNode((node) => node.keys(), { isRepeatable: true });
  }

  /** Asks for nodes, keys and what is under way, as one node sees it. */
  async status(): Promise<QuorumStatus> {
    return await this.withNode((node) => node.quorum.status(), { isRepeatable: true });
  }

  /** Has the nodes generate a key that no place ever holds whole. */
  async generate(key: string): Promise<Begun> {
    return await this.#begin((node) => node.quorum.generate(key));
  }

  /** Has one node split an existing key inside its enclave and forget it. */
  async importKey(key: string, seal: SealKeyForNode): Promise<Begun> {
    return await this.#begin((node) => node.quorum.importKey(key, seal));
  }

  /** Has the nodes make new shares of the same key for themselves. */
  async refresh(key: string): Promise<Begun> {
    return await this.#begin((node) => node.quorum.refresh(key));
  }

  /** Has the nodes hand a key to other nodes, or change how many of them sign. */
  async reshare(key: string, to: ReshareRequest): Promise<Begun> {
    return await this.#begin((node) => node.quorum.reshare(key, to));
  }

  /** Has the nodes make the share of one of them again. */
  async repair(key: string, node: number): Promise<Begun> {
    return await this.#begin((client) => client.quorum.repair(key, node));
  }

  /**
   * Waits until a ceremony has ended, by the node that leads it.
   *
   * @throws ClientError CEREMONY_FAILED
   * @throws NodeRefusal CEREMONY_NOT_FOUND where no node that serves leads it: the one that did has restarted or is dead,
   *   and `status` shows what became of the key
   */
  async waitFor(ceremony: Pick<Ceremony, 'id'>, options: WaitOptions = {}): Promise<Ceremony> {
    const members = this.#holding(ceremony.id);
    return await this.#attempt(
      members,
      true,
      ({ client }) => client.quorum.waitFor(ceremony, options),
      'CEREMONY_NOT_FOUND',
    );
  }

  /** Gets the transcript of the ceremony that made an epoch of a key, unverified, from any node that has it. */
  async transcript(key: string, epoch: number): Promise<Uint8Array> {
    return await this.#attempt(
      this.#inOrder(),
      true,
      ({ client }) => client.quorum.transcript(key, epoch),
      'TRANSCRIPT_NOT_FOUND',
    );
  }

  /**
   * Asks one node after the other until one takes the request.
   *
   * @param act the request; called again with another node only where that is harmless
   * @param options `isRepeatable`: the request changes nothing, so that it may be sent again when a response was lost
   */
  async withNode<T>(
    act: (node: NodeClient) => Promise<T>,
    { isRepeatable = false }: { readonly isRepeatable?: boolean } = {},
  ): Promise<T> {
    return await this.#attempt(this.#inOrder(), isRepeatable, ({ client }) => act(client));
  }

  /** Each node by itself, in the order of the options, for what only one of them has. */
  get nodes(): readonly NodeClient[] {
    return this.#members.map(({ client }) => client);
  }

  /** Closes the connections; requests under way fail with ANSWER_LOST. */
  close(): void {
    for (const { client } of this.#members) client.close();
  }

  async #begin(act: (node: NodeClient) => Promise<Begun>): Promise<Begun> {
    return await this.#attempt(this.#inOrder(), false, async (member) => {
      const begun = await act(member.client);
      this.#holders.set(begun.ceremony.id, member);
      return begun;
    });
  }

  /** Members in the order in which they are asked: those that failed a moment ago come last. */
  #inOrder(): readonly Member[] {
    const now = this.#clock();
    const isAvoided = ({ avoidedUntil }: Member) => avoidedUntil > now;
    return [
      ...this.#members.filter((each) => !isAvoided(each)),
      ...this.#members.filter((each) => isAvoided(each)),
    ];
  }

  /** Members in the order in which they are asked for something that one of them holds. */
  #holding(id: string): readonly Member[] {
    const holder = this.#holders.get(id);
    const others = this.#inOrder().filter((each) => each !== holder);
    return holder === undefined ? others : [holder, ...others];
  }

  /** Asks members in turn. A refusal with the code `unknown` means that another one may know. */
  async #attempt<T>(
    members: readonly Member[],
    isRepeatable: boolean,
    act: (member: Member) => Promise<T>,
    unknown?: string,
  ): Promise<T> {
    const codes: Record<string, string> = {};
    let lastRefusal: NodeRefusal | undefined;
    let lastError: unknown;
    for (const member of members) {
      try {
        const result = await this.#ask(member, act);
        return result;
      } catch (error) {
        const failure = error instanceof NotSent ? error.cause : error;
        if (failure instanceof NodeRefusal && failure.code === unknown) {
          lastRefusal = failure;
          continue;
        }
        if (!(error instanceof NotSent) && !isHarmless(failure, isRepeatable)) throw failure;
        member.avoidedUntil = this.#clock() + AVOIDED_MS;
        codes[member.url] = errorCode(failure);
        lastError = failure;
        this.#onPassedOver(member.url, failure instanceof Error ? failure : new Error(String(failure)));
      }
    }
    if (lastRefusal !== undefined) throw lastRefusal;
    throw new ClientError(
      'NODES_UNREACHABLE',
      'no node of the quorum takes the request',
      { nodes: codes },
      lastError,
    );
  }

  /** Asks one member, after it has proved what it is. @throws NotSent where it has not */
  async #ask<T>(member: Member, act: (member: Member) => Promise<T>): Promise<T> {
    if (!member.isConnected) {
      try {
        await member.client.attest();
      } catch (error) {
        // The caller's mistakes are the caller's.
        if (error instanceof TypeError || error instanceof RangeError) throw error;
        throw new NotSent(error);
      }
      member.isConnected = true;
    }
    return await act(member);
  }
}

/** A node has not proved what it is, so that the request was not sent. */
class NotSent extends Error {
  constructor(cause: unknown) {
    super('the request was not sent', { cause });
  }
}

/** Whether a request that met an error may be sent to another node. */
function isHarmless(error: unknown, isRepeatable: boolean): boolean {
  // A node that has restarted is attested again before anything is carried out.
  if (error instanceof AttestationError) return true;
  if (error instanceof NodeRefusal) return NOT_CARRIED_OUT.includes(error.code);
  if (!(error instanceof ClientError)) return false;
  if (error.code === 'NODE_UNREACHABLE' || error.code === 'TLS_KEY_MISMATCH') return true;
  return isRepeatable && UNCERTAIN.includes(error.code);
}
