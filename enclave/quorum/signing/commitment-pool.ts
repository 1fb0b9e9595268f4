import type { PeerNetwork } from '../../peers/peer-network.ts';
import { COMMIT_TIMEOUT_MS, MAX_COMMIT_KEYS } from './limits.ts';
import { COMMIT_CALL, type CommitAnswer, type CommitCall, commitAnswer, commitCall } from './messages.ts';
import { splitCommitments } from './package.ts';
import type { NonceCommitments } from '../../../shared/frost/index.ts';
import type { QuorumShare } from './quorum-share.ts';
import { dropOldest } from '../../../shared/drop-oldest.ts';

/** Commitments that a key begins with, and the most that it keeps ahead, of each node. */
const FIRST_TARGET = 16;
const MAX_TARGET = 256;
/** Keys whose commitments are kept ahead; those used longest ago go first. */
const MAX_POOLED_KEYS = 64;

/** Commitments of another node to one pair of nonces, and the handle that names the pair there. */
export interface PooledCommitments extends NonceCommitments {
  readonly handle: number;
}

/** The key that commitments are for. */
export type PoolSubject = Pick<QuorumShare, 'epoch' | 'digest' | 'elementBytes'> & { readonly key: string };

/** Why a node has made no nonces; where the epochs differ, its own one and the certificate of that. */
export type CommitRefusal = Pick<CommitAnswer['keys'][number], 'epoch' | 'certificate'> & {
  readonly code: string;
};

const NO_NONCES: CommitRefusal = { code: 'QUORUM_NONCES_UNKNOWN', epoch: null, certificate: null };

interface Shelf {
  readonly session: string;
  readonly epoch: number;
  readonly digest: string;
  readonly elementBytes: number;
  commitments: PooledCommitments[];
  /** How many are kept ahead: more where they ran out. */
  target: number;
  isFilling: boolean;
}

/**
 * Commitments that other nodes have made ahead of time, so that a signature takes one round trip. They are kept in memory
 * alone, by node and key, for one boot of that node and one epoch, and topped up in the background: one call to a node
 * asks for those of all its keys that need some.
 */
export class CommitmentPool {
  readonly #network: PeerNetwork;
  /** By node, then by key, the one used last at the end. */
  readonly #shelves = new Map<number, Map<string, Shelf>>();
  readonly #wanted = new Map<number, Map<string, CommitCall['keys'][number]>>();

  constructor(network: PeerNetwork) {
    this.#network = network;
    network.onSession(({ node, session }) => {
      const shelves = this.#shelves.get(node) ?? new Map<string, Shelf>();
      for (const [key, shelf] of shelves) if (shelf.session !== session) shelves.delete(key);
    });
  }

  /** Number of commitments that are at hand, by node. */
  count(key: string): { readonly node: number; readonly count: number }[] {
    return this.#network.peers.map((node) => ({
      node,
      count: this.#shelves.get(node)?.get(key)?.commitments.length ?? 0,
    }));
  }

  /**
   * Takes commitments of a node, each once: those at hand, and where they do not suffice what a call brings.
   *
   * @param certificate of the epoch, for a node that still signs with the one before
   * @throws PeerError; QuorumSigningError QUORUM_MESSAGE_MALFORMED
   */
  async take(
    node: number,
    subject: PoolSubject,
    count: number,
    certificate: Uint8Array | null,
  ): Promise<readonly PooledCommitments[] | CommitRefusal> {
    const shelf = this.#shelf(node, subject);
    if (shelf === undefined) return NO_NONCES;
    const taken = shelf.commitments.splice(0, count);
    if (shelf.commitments.length < shelf.target / 2) this.#fillLater(node, subject.key, shelf);
    if (taken.length === count) return taken;
    shelf.target = Math.min(MAX_TARGET, Math.max(2 * shelf.target, 2 * count));
    const missing = count - taken.length;
    const { key, epoch, digest: group } = subject;
    const [fetched = NO_NONCES] = await this.#fetch(
      node,
      [shelf],
      [{ key, epoch, group, count: missing, certificate }],
    );
    if ('code' in fetched) return fetched;
    return fetched.length === missing ? [...taken, ...fetched] : NO_NONCES;
  }

  /** Forgets what a node has made for a key. */
  dropKey(node: number, key: string): void {
    this.#shelves.get(node)?.delete(key);
  }

  /** Forgets what nodes have made of a key for other epochs than this one. */
  dropEpochs(key: string, epoch: number): void {
    for (const shelves of this.#shelves.values()) {
      const shelf = shelves.get(key);
      if (shelf !== undefined && shelf.epoch !== epoch) shelves.delete(key);
    }
  }

  /** Finds the shelf of a node's boot and an epoch; undefined while no session with the node stands. */
  #shelf(node: number, { key, epoch, digest, elementBytes }: PoolSubject): Shelf | undefined {
    const session = this.#network.identity(node)?.session;
    if (session === undefined) return undefined;
    const shelves = this.#shelves.get(node) ?? new Map<string, Shelf>();
    this.#shelves.set(node, shelves);
    const known = shelves.get(key);
    const isFit = known?.session === session && known.epoch === epoch && known.digest === digest;
    const fresh = { session, epoch, digest, elementBytes, target: FIRST_TARGET, isFilling: false };
    const shelf = known !== undefined && isFit ? known : { ...fresh, commitments: [] };
    // The key used last goes to the end of the map.
    shelves.delete(key);
    shelves.set(key, shelf);
    dropOldest(shelves, MAX_POOLED_KEYS);
    return shelf;
  }

  #fillLater(node: number, key: string, shelf: Shelf): void {
    if (shelf.isFilling) return;
    shelf.isFilling = true;
    const wanted = this.#wanted.get(node) ?? new Map<string, CommitCall['keys'][number]>();
    const { epoch, digest: group } = shelf;
    wanted.set(key, { key, epoch, group, count: shelf.target, certificate: null });
    if (this.#wanted.has(node)) return;
    this.#wanted.set(node, wanted);
    setImmediate(() => {
      this.#fill(node).catch(() => undefined);
    });
  }

  async #fill(node: number): Promise<void> {
    const wanted = [...(this.#wanted.get(node)?.values() ?? [])].slice(0, MAX_COMMIT_KEYS);
    this.#wanted.delete(node);
    const shelves = wanted.map(({ key }) => this.#shelves.get(node)?.get(key));
    try {
      const fetched = await this.#fetch(node, shelves, wanted);
      for (const [index, commitments] of fetched.entries()) {
        const { key } = wanted[index] ?? { key: '' };
        const shelf = shelves[index];
        // Another boot or epoch may have begun meanwhile.
        if (shelf !== undefined && this.#shelves.get(node)?.get(key) === shelf)
          shelf.commitments.push(...('code' in commitments ? [] : commitments));
      }
    } finally {
      for (const shelf of shelves) if (shelf !== undefined) shelf.isFilling = false;
    }
  }

  /** Calls a node for commitments, for the shelf of each key. */
  async #fetch(
    node: number,
    shelves: readonly (Shelf | undefined)[],
    keys: CommitCall['keys'],
  ): Promise<(PooledCommitments[] | CommitRefusal)[]> {
    const body = commitCall.encode({ keys });
    const answered = await this.#network.call(node, COMMIT_CALL, body, { timeoutMs: COMMIT_TIMEOUT_MS });
    const answers = commitAnswer.decode(answered).keys;
    return keys.map(({ count }, index) => {
      const answer = answers[index];
      if (answer === undefined) return NO_NONCES;
      const { code, epoch, certificate } = answer;
      if (code !== null) return { code, epoch, certificate };
      const elementBytes = shelves[index]?.elementBytes ?? 0;
      const split = splitCommitments(node, answer.commitments, { count, elementBytes });
      return (
        split?.map((commitments, place) => ({ ...commitments, handle: answer.first + place })) ?? NO_NONCES
      );
    });
  }
}
