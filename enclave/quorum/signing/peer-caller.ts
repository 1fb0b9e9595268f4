import type { PeerNetwork } from '../../peers/peer-network.ts';
import { MAX_PEER_BODY_BYTES } from '../../peers/peer-network.ts';
import { QuorumSigningError } from './errors.ts';
import { MAX_BATCHED_REQUESTS } from './limits.ts';
import {
  type AnySignAnswer,
  SIGN_CALL,
  type SignAnswer,
  signAnswers,
  signCall,
  type SignEntry,
} from './messages.ts';

/** Bytes of a call beside its entries. */
const CALL_OVERHEAD_BYTES = 32;

interface Queued {
  readonly entry: SignEntry;
  readonly bytes: number;
  readonly timeoutMs: number;
  readonly resolve: (answer: SignAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls other nodes to sign. Requests to one node that arrive in the same step of the event loop go in one call; none
 * waits for another that is under way.
 */
export class PeerCaller {
  readonly #network: PeerNetwork;
  readonly #queues = new Map<number, Queued[]>();

  constructor(network: PeerNetwork) {
    this.#network = network;
  }

  /**
   * Asks a node to sign.
   *
   * @throws QuorumSigningError QUORUM_REQUEST_TOO_LARGE, QUORUM_MESSAGE_MALFORMED for an answer that is none; PeerError
   */
  sign(node: number, entry: SignEntry, timeoutMs: number): Promise<SignAnswer> {
    const bytes = signCall.encode({ entries: [entry] }).length;
    if (bytes + CALL_OVERHEAD_BYTES > MAX_PEER_BODY_BYTES) {
      throw new QuorumSigningError(
        'QUORUM_REQUEST_TOO_LARGE',
        'the request is longer than a call between nodes',
        {
          bytes,
          maximum: MAX_PEER_BODY_BYTES,
        },
      );
    }
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(node);
      const queued = { entry, bytes, timeoutMs, resolve, reject };
      if (queue !== undefined) {
        queue.push(queued);
        return;
      }
      this.#queues.set(node, [queued]);
      setImmediate(() => this.#flush(node));
    });
  }

  #flush(node: number): void {
    const queue = this.#queues.get(node) ?? [];
    this.#queues.delete(node);
    let batch: Queued[] = [];
    let bytes = CALL_OVERHEAD_BYTES;
    for (const queued of queue) {
      if (batch.length === MAX_BATCHED_REQUESTS || bytes + queued.bytes > MAX_PEER_BODY_BYTES) {
        this.#call(node, batch);
        batch = [];
        bytes = CALL_OVERHEAD_BYTES;
      }
      batch.push(queued);
      bytes += queued.bytes;
    }
    if (batch.length > 0) this.#call(node, batch);
  }

  #call(node: number, batch: readonly Queued[]): void {
    const body = signCall.encode({ entries: batch.map(({ entry }) => entry) });
    const timeoutMs = Math.max(...batch.map((queued) => queued.timeoutMs));
    this.#network
      .call(node, SIGN_CALL, body, { timeoutMs })
      .then((bytes) => {
        const { answers } = signAnswers.decode(bytes);
        if (answers.length !== batch.length) {
          throw new QuorumSigningError('QUORUM_MESSAGE_MALFORMED', 'expected one answer to each request', {
            expected: batch.length,
            actual: answers.length,
          });
        }
        for (const [index, answer] of answers.entries()) this.#settle(node, batch, index, answer);
      })
      .catch((error: unknown) => {
        for (const { reject } of batch) reject(error);
      });
  }

  #settle(node: number, batch: readonly Queued[], index: number, answer: AnySignAnswer): void {
    const queued = batch[index];
    if (queued === undefined) return;
    if (answer.outcome !== 'alone') queued.resolve(answer);
    else if (batch.length > 1) this.#call(node, [queued]);
    else
      queued.reject(
        new QuorumSigningError('QUORUM_MESSAGE_MALFORMED', 'expected the answer to a single request'),
      );
  }
}
