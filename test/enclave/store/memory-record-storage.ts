import type { RecordStorage } from '../../../enclave/store/index.ts';
import type { LogAddition, RecordKey, RecordWrite } from '../../../shared/protocol/control.ts';
import { ControlError } from '../../../shared/protocol/errors.ts';

interface Kept extends RecordKey {
  revision: number;
  bytes: Uint8Array;
}

const slot = ({ table, id }: RecordKey) => `${table}/${id}`;

/** Store of a parent in memory, open to be tampered with: `records` holds its content, by `table/id`. */
export class MemoryRecordStorage implements RecordStorage {
  records = new Map<string, Kept>();
  /** Entries of the log. */
  entries: Uint8Array[] = [];
  /** Every commit that was asked for, the refused ones included. */
  readonly commits: (readonly RecordWrite[])[] = [];
  /** Called before a commit is carried out; an error thrown here is the response. */
  onCommit: (number: number) => void = () => undefined;
  /** Called after a commit was carried out; an error thrown here loses the response. */
  onCommitted: (number: number) => void = () => undefined;

  readRecord(key: RecordKey) {
    const kept = this.records.get(slot(key));
    return Promise.resolve(
      kept === undefined ? null : { revision: kept.revision, bytes: kept.bytes.slice() },
    );
  }

  listRecords() {
    return Promise.resolve(
      [...this.records.values()].map(({ table, id, revision }) => ({ table, id, revision })),
    );
  }

  async commit(writes: readonly RecordWrite[], log?: LogAddition): Promise<void> {
    await Promise.resolve();
    this.commits.push(writes);
    this.onCommit(this.commits.length);
    const next = new Map(this.records);
    for (const { table, id, expectedRevision, bytes } of writes) {
      const revision = next.get(slot({ table, id }))?.revision ?? 0;
      if (revision !== expectedRevision || (revision === 0 && bytes === null)) {
        throw new ControlError('CONTROL_STORE_CONFLICT', 'another revision');
      }
      if (bytes === null) next.delete(slot({ table, id }));
      else next.set(slot({ table, id }), { table, id, revision: revision + 1, bytes: bytes.slice() });
    }
    if (log !== undefined && log.start !== this.entries.length)
      throw new ControlError('CONTROL_STORE_CONFLICT', 'another size of the log');
    this.records = next;
    this.entries.push(...(log?.entries.map((bytes) => bytes.slice()) ?? []));
    this.onCommitted(this.commits.length);
  }

  /** Copies the present content, to be put back. */
  snapshot(): Map<string, Kept> {
    return new Map(this.records);
  }

  /** Changes one record behind the enclave's back. */
  tamper(name: string, change: Partial<Kept>): void {
    const kept = this.records.get(name);
    if (kept === undefined) throw new RangeError(`no such record: ${name}`);
    this.records.set(name, { ...kept, ...change });
  }
}
