import type * as z from 'zod';
import { InternalError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_RECORD_BYTES, type RecordKey } from '../../shared/protocol/control.ts';
import type { RecordChange, SealedStore } from '../store/index.ts';

/** Tables of requests that wait, each by the id of the request, but for `credentials`. */
export const TABLES = Object.freeze({
  pending: 'pending',
  signed: 'signed-requests',
  votes: 'votes',
  results: 'results',
  credentials: 'credentials',
});

/** The part of a sealed store that a start reads. */
export type ReadableStore = Pick<SealedStore, 'list' | 'read'>;

/** Reads all records of a table. @throws StoreError; InternalError for content that this node has not written */
export async function readTable<T>(
  store: ReadableStore,
  table: string,
  schema: z.ZodType<T>,
): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  for (const place of store.list()) {
    if (place.table !== table) continue;
    const bytes = await store.read(place);
    if (bytes !== null) found.set(place.id, parseRecord(bytes, schema, place));
  }
  return found;
}

function parseRecord<T>(bytes: Uint8Array, schema: z.ZodType<T>, { table, id }: RecordKey): T {
  try {
    return schema.parse(parseJson(bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: 32 }));
  } catch (error) {
    throw new InternalError(`the record ${table}/${id} is not of its form`, error);
  }
}

/** Changes of records that wait for the next commit, the newest of each record. */
export class UnsealedChanges {
  readonly #changes = new Map<string, RecordChange>();

  /** Number of bytes that wait. */
  get bytes(): number {
    let sum = 0;
    for (const { plaintext } of this.#changes.values()) sum += plaintext?.length ?? 0;
    return sum;
  }

  write({ table, id }: RecordKey, content: unknown): void {
    const plaintext = new TextEncoder().encode(JSON.stringify(content));
    this.#changes.set(`${table}/${id}`, { table, id, plaintext });
  }

  drop({ table, id }: RecordKey): void {
    this.#changes.set(`${table}/${id}`, { table, id, plaintext: null });
  }

  /** Gives all changes away, for one commit. */
  collect(): RecordChange[] {
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    return changes;
  }
}
