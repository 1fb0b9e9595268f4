import { createHash } from 'node:crypto';
import { counterSchema } from './pending-request.ts';
import { type ReadableStore, readTable, TABLES, type UnsealedChanges } from './records.ts';

/**
 * The highest signature counter that was seen of each passkey. A counter counts from the moment of its vote on, before
 * the vote is sealed: two votes at the same time cannot both use one.
 */
export class CredentialCounters {
  readonly #changes: UnsealedChanges;
  readonly #counters: Map<string, number>;

  private constructor(changes: UnsealedChanges, counters: Map<string, number>) {
    this.#changes = changes;
    this.#counters = counters;
  }

  /** Reads the counters of a store. @throws StoreError, InternalError */
  static async restore(store: ReadableStore, changes: UnsealedChanges): Promise<CredentialCounters> {
    const sealed = await readTable(store, TABLES.credentials, counterSchema);
    return new CredentialCounters(
      changes,
      new Map([...sealed.values()].map(({ credential, counter }) => [credential, counter])),
    );
  }

  /** Returns the last counter of a credential; 0 before its first use. */
  last(credential: string): number {
    return this.#counters.get(credential) ?? 0;
  }

  /** Keeps a counter that is higher than the last one. */
  advance(credential: string, counter: number): void {
    if (counter <= this.last(credential)) return;
    this.#counters.set(credential, counter);
    // Credential ids are longer than the names of records may be.
    const id = createHash('sha256').update(credential).digest('hex');
    this.#changes.write({ table: TABLES.credentials, id }, { credential, counter });
  }
}
