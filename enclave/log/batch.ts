import { MAX_LOG_ENTRIES, MAX_LOG_ENTRY_BYTES } from '../../shared/protocol/control.ts';
import type { RecordChange } from '../store/index.ts';

/** Bytes of entries from which on a batch takes no more: the frame of a commit has room for records beside them. */
const MAX_BATCH_BYTES = 1024 * 1024;
/**
 * The most changes of records in one commit, and their bytes: one client's requests at the same time may charge thousands
 * of windows. With the index above them, and a batch of entries, they stay below the bounds of a frame.
 */
const MAX_CHANGES = 512;
const MAX_CHANGED_BYTES = 1024 * 1024;

/** An entry that may have its effect: it is sealed and, where the configuration names witnesses, cosigned. */
export interface Appended {
  readonly index: number;
  /** Signed note (C2SP tlog-checkpoint) of a tree with the entry, with the cosignatures that were waited for. */
  readonly checkpoint: string;
  /** Hashes from the entry's sibling up to the root of that tree (RFC 6962, 2.1.1). */
  readonly proof: readonly Uint8Array[];
}

/**
 * Who must have cosigned an entry before it has its effect. An entry that tells of a cosignature for a peer needs the
 * outside witnesses alone: if it needed peers, theirs would need ours, without an end.
 */
export type EntryNeeds = 'all' | 'outside';

export interface Waiting {
  readonly needs: EntryNeeds;
  readonly makeEntry: (index: number) => Uint8Array;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** An entry that is sealed and was not released. */
export interface Sealed extends Omit<Waiting, 'makeEntry'> {
  readonly index: number;
}

/** A batch of entries for one commit, their bytes, and what waits on. */
export interface Batch {
  readonly batch: Sealed[];
  readonly entries: Uint8Array[];
  readonly rest: Waiting[];
}

/**
 * Takes the next entries, as many as one commit carries, and makes their bytes; one whose bytes cannot be made is refused.
 *
 * @param size of the log before them
 * @param isFull tells whether the commit has no room for changes of another entry
 */
export function takeBatch(
  waiting: readonly Waiting[],
  size: number,
  isFull: () => boolean = () => false,
): Batch {
  const batch: Sealed[] = [];
  const entries: Uint8Array[] = [];
  let bytes = 0;
  let taken = 0;
  for (const { makeEntry, ...one } of waiting) {
    if (entries.length === MAX_LOG_ENTRIES || bytes >= MAX_BATCH_BYTES || isFull()) break;
    taken += 1;
    const index = size + entries.length;
    try {
      const entry = makeEntry(index);
      if (entry.length > MAX_LOG_ENTRY_BYTES)
        throw new RangeError(`expected an entry of at most ${MAX_LOG_ENTRY_BYTES} bytes`);
      entries.push(entry);
      bytes += entry.length;
      batch.push({ index, ...one });
    } catch (error) {
      one.reject(error);
    }
  }
  return { batch, entries, rest: waiting.slice(taken) };
}

/** Tells whether changes that have to be in the commit of their entries take as much of it as they may. */
export function isLong({
  count,
  bytes,
}: { readonly count: number; readonly bytes: number } = NOTHING): boolean {
  return count >= MAX_CHANGES || bytes >= MAX_CHANGED_BYTES;
}
const NOTHING = { count: 0, bytes: 0 };

/** Takes as many of the first changes as one commit carries, and at least one. */
export function takePart(changes: readonly RecordChange[]): readonly RecordChange[] {
  let bytes = 0;
  const end = changes.findIndex(({ plaintext }, index) => {
    bytes += plaintext?.length ?? 0;
    return index > 0 && (index === MAX_CHANGES || bytes > MAX_CHANGED_BYTES);
  });
  return end < 0 ? changes : changes.slice(0, end);
}
