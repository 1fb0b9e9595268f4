import { createHash, type KeyObject } from 'node:crypto';
import { sealRecord } from '../../enclave/store/record-cipher.ts';
import { encodeCbor } from '../../shared/cbor/index.ts';
import type { RecordWrite } from '../../shared/protocol/control.ts';

/** Commit of a store whose root record lists every record (root format 1): the index is measured against it. */
export class ListStore {
  readonly #key: KeyObject;
  readonly #send: (writes: readonly RecordWrite[]) => Promise<void>;
  #records: Readonly<Record<string, { revision: number; digest: Uint8Array }>> = {};
  #revision = 0;

  constructor(key: KeyObject, send: (writes: readonly RecordWrite[]) => Promise<void>) {
    this.#key = key;
    this.#send = send;
  }

  async commit(
    changes: readonly { readonly table: string; readonly id: string; readonly plaintext: Uint8Array }[],
  ): Promise<void> {
    const records = { ...this.#records };
    const writes: RecordWrite[] = [];
    for (const { table, id, plaintext } of changes) {
      const expectedRevision = records[`${table}/${id}`]?.revision ?? 0;
      const revision = expectedRevision + 1;
      const bytes = sealRecord(this.#key, { table, id, revision }, plaintext);
      const digest = new Uint8Array(createHash('sha256').update(bytes).digest());
      records[`${table}/${id}`] = { revision, digest };
      writes.push({ table, id, expectedRevision, bytes });
    }
    const configuration = { version: 1, digest: new Uint8Array(48) };
    const root = encodeCbor({ format: 1, order: 'first', configuration, boots: 1, records });
    const place = { table: 'store', id: 'root' };
    const bytes = sealRecord(this.#key, { ...place, revision: this.#revision + 1 }, root);
    writes.push({ ...place, expectedRevision: this.#revision, bytes });
    await this.#send(writes);
    this.#records = records;
    this.#revision += 1;
  }
}
