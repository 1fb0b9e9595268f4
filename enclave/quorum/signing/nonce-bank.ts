import { MAX_NONCES_PER_PEER } from './limits.ts';
import { clearNonces, type NonceCommitments, type Nonces } from '../../../shared/frost/index.ts';
import type { QuorumShare } from './quorum-share.ts';

/** The coordinator that nonces were made for: a boot of a node. */
export interface NonceOwner {
  readonly node: number;
  readonly session: string;
}

/** The key and epoch that nonces were made for. */
export type NonceSubject = Pick<QuorumShare, 'epoch' | 'digest'> & { readonly key: string };

interface Entry extends NonceSubject {
  readonly nonces: Nonces;
}

interface Account {
  readonly session: string;
  /** By handle, the oldest first. */
  readonly entries: Map<number, Entry>;
}

/**
 * The nonces that this node has made ahead of time for other nodes' signatures. A pair that signs twice gives the share
 * away, so nonces exist in this memory alone, bound to one boot of this node, one boot of the coordinator, one key and one
 * epoch: no crash, restart or rollback of a store brings one back. Whoever takes a pair has removed it before anything is
 * computed with it.
 */
export class NonceBank {
  readonly #accounts = new Map<number, Account>();
  #nextHandle = 0;

  /**
   * Reserves handles of nonces for a coordinator, counting up from `first`. Each call of `fill` makes the next of them;
   * what it makes for a boot of the coordinator that has ended meanwhile is cleared at once.
   */
  reserve(
    owner: NonceOwner,
    key: string,
    share: QuorumShare,
    count: number,
  ): { readonly first: number; readonly fill: (count: number) => readonly NonceCommitments[] } {
    const account = this.#open(owner);
    dropEntries(account, (entry) => entry.key === key && entry.digest !== share.digest);
    const first = this.#nextHandle;
    this.#nextHandle += count;
    const { epoch, digest } = share;
    let next = first;
    const fill = (number: number) =>
      Array.from({ length: Math.min(number, first + count - next) }, () => {
        const nonces = share.commit();
        if (this.#accounts.get(owner.node) === account) {
          account.entries.set(next, { key, epoch, digest, nonces });
          this.#dropOldest(account);
        } else clearNonces(nonces);
        next += 1;
        return nonces.commitments;
      });
    return { first, fill };
  }

  /**
   * Removes nonces and hands them out: all of them, or none where one was never made for that coordinator, key and epoch,
   * or is gone, or is asked for twice. The caller uses them once or clears them.
   */
  take(owner: NonceOwner, subject: NonceSubject, handles: readonly number[]): Nonces[] | undefined {
    const account = this.#accounts.get(owner.node);
    if (account?.session !== owner.session || new Set(handles).size !== handles.length) return undefined;
    const found = handles.flatMap((handle) => account.entries.get(handle) ?? []);
    const areFit = found.every(
      ({ key, epoch, digest }) => key === subject.key && epoch === subject.epoch && digest === subject.digest,
    );
    if (found.length !== handles.length || !areFit) return undefined;
    for (const handle of handles) account.entries.delete(handle);
    return found.map(({ nonces }) => nonces);
  }

  /** Drops what was made for former boots of a coordinator. */
  dropFormer({ node, session }: NonceOwner): void {
    if (this.#accounts.get(node)?.session !== session) this.#drop(node);
  }

  /** Drops what was made of a key for other epochs than this one. */
  dropEpochs(key: string, epoch: number): void {
    for (const account of this.#accounts.values())
      dropEntries(account, (entry) => entry.key === key && entry.epoch !== epoch);
  }

  #drop(node: number): void {
    const account = this.#accounts.get(node);
    this.#accounts.delete(node);
    for (const { nonces } of account?.entries.values() ?? []) clearNonces(nonces);
  }

  #dropOldest({ entries }: Account): void {
    for (const [handle, entry] of entries) {
      if (entries.size <= MAX_NONCES_PER_PEER) break;
      entries.delete(handle);
      clearNonces(entry.nonces);
    }
  }

  #open({ node, session }: NonceOwner): Account {
    const known = this.#accounts.get(node);
    if (known?.session === session) return known;
    this.#drop(node);
    const account: Account = { session, entries: new Map() };
    this.#accounts.set(node, account);
    return account;
  }
}

/** Clears nonces with which nothing is signed any more. */
function dropEntries({ entries }: Account, isOld: (entry: Entry) => boolean): void {
  for (const [handle, entry] of entries) {
    if (!isOld(entry)) continue;
    entries.delete(handle);
    clearNonces(entry.nonces);
  }
}
