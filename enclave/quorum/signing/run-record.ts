import type { Receipt } from '../../../audit/receipt/index.ts';
import type { CommitmentPool } from './commitment-pool.ts';
import { QuorumSigningError, type QuorumSigningErrorCode } from './errors.ts';
import type { PeerHealth } from './peer-health.ts';

/** A node, and why it takes no part. */
interface NodeCode {
  readonly node: number;
  readonly code: string;
}

/** What has become known of the other nodes while they sign one request. */
export class RunRecord {
  readonly #key: string;
  readonly #pool: CommitmentPool;
  readonly #health: PeerHealth;
  readonly #excluded = new Map<number, string>();
  readonly #denials = new Map<number, string>();
  readonly #receipts = new Map<number, Receipt>();
  /** Nodes that still sign with an older epoch. */
  readonly #behind = new Set<number>();
  /** Nodes whose nonces were gone once: they are asked for new ones, and excluded the second time. */
  readonly #forgetful = new Set<number>();

  constructor(key: string, pool: CommitmentPool, health: PeerHealth) {
    this.#key = key;
    this.#pool = pool;
    this.#health = health;
  }

  /** Goes on without a node. */
  exclude(node: number, code: string): void {
    this.#excluded.set(node, code);
    this.#health.suspect(node);
    // Whatever was wrong, its nonces of other requests may be as well.
    this.#pool.dropKey(node, this.#key);
  }

  deny(node: number, code: string): void {
    this.#denials.set(node, code);
  }

  keepReceipt(node: number, receipt: Receipt): void {
    this.#receipts.set(node, receipt);
  }

  /** Notes that a node signs with an older epoch; tells whether that is known for the first time. */
  noteBehind(node: number): boolean {
    return addOnce(this.#behind, node);
  }

  /** Notes that the nonces of a node were gone; tells whether that happened for the first time. */
  noteForgetful(node: number): boolean {
    return addOnce(this.#forgetful, node);
  }

  isExcluded(node: number): boolean {
    return this.#excluded.has(node);
  }

  isBehind(node: number): boolean {
    return this.#behind.has(node);
  }

  hasReceipt(node: number): boolean {
    return this.#receipts.has(node);
  }

  get hasDenials(): boolean {
    return this.#denials.size > 0;
  }

  receiptsOf(nodes: readonly number[]): Receipt[] {
    return nodes.flatMap((node) => this.#receipts.get(node) ?? []);
  }

  /** Lists excluded nodes in ascending order. */
  listExcluded(): NodeCode[] {
    return list(this.#excluded).toSorted((one, other) => one.node - other.node);
  }

  /** Describes why nothing was signed. @param others numbers of the other nodes with a share of the key */
  describeFailure(others: readonly number[]): QuorumSigningError {
    const receipts = [...this.#receipts.values()];
    if (this.hasDenials) {
      const nodes = list(this.#denials);
      return new QuorumSigningError(
        'QUORUM_DENIED',
        'another node has decided otherwise',
        { nodes },
        { receipts },
      );
    }
    const liars = list(this.#excluded).flatMap(({ node, code }) =>
      code === 'QUORUM_SHARE_INVALID' ? [node] : [],
    );
    const code: QuorumSigningErrorCode = liars.length > 0 ? 'QUORUM_SHARE_INVALID' : 'QUORUM_UNREACHABLE';
    const nodes = liars.length > 0 ? liars : this.#listMissing(others);
    return new QuorumSigningError(code, 'too few nodes can sign', { nodes }, { receipts });
  }

  /** Lists the nodes that have not signed, and why. */
  #listMissing(others: readonly number[]): NodeCode[] {
    return others
      .filter((node) => !this.#receipts.has(node))
      .map((node) => ({ node, code: this.#excluded.get(node) ?? 'PEER_UNREACHABLE' }));
  }
}

const list = (codes: ReadonlyMap<number, string>): NodeCode[] =>
  [...codes].map(([node, code]) => ({ node, code }));

function addOnce(nodes: Set<number>, node: number): boolean {
  const isFirst = !nodes.has(node);
  nodes.add(node);
  return isFirst;
}
