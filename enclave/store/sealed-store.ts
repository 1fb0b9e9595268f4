import { createHash, type KeyObject } from 'node:crypto';
import { PASSWORD_SECRET } from '../../shared/node/encryption-context.ts';
import type { RecordKey, RecordWrite } from '../../shared/protocol/control.ts';
import { ControlError } from '../../shared/protocol/errors.ts';
import type { ControlClient } from '../../shared/protocol/control-client.ts';
import { StoreError } from './errors.ts';
import { openRecord, sealRecord } from './record-cipher.ts';
import { decodeRoot, encodeRoot, type RootRecord } from './root-record.ts';

/** The root record's place. */
export const ROOT: RecordKey = Object.freeze({ table: 'store', id: 'root' });
/** The KMS ciphertext of a generated password: the one record that is not sealed, since it opens the seal. */
export const PASSWORD_BLOB: RecordKey = Object.freeze({ table: 'boot', id: PASSWORD_SECRET });

/** What the parent keeps: believed only as far as the seal goes. */
export type RecordKeeper = Pick<ControlClient, 'readRecord' | 'listRecords' | 'commit'>;

/** A new content of a record; `plaintext: null` deletes it. */
export interface RecordChange extends RecordKey {
  readonly plaintext: Uint8Array | null;
}

type RootState = Pick<RootRecord, 'order' | 'configuration' | 'boots'>;

const slot = ({ table, id }: RecordKey) => `${table}/${id}`;

/** The records of one node, sealed under its Encryptor Master Password and kept by the parent. */
export class SealedStore {
  readonly #keeper: RecordKeeper;
  readonly #key: KeyObject;
  #root: RootRecord;
  #revision: number;
  #last: Promise<unknown> = Promise.resolve();
  /** What goes with the first commit. */
  #unwritten: readonly RecordWrite[] = [];

  private constructor(keeper: RecordKeeper, key: KeyObject, root: RootRecord, revision: number) {
    this.#keeper = keeper;
    this.#key = key;
    this.#root = root;
    this.#revision = revision;
  }

  /**
   * A store that has never been written. Nothing is until the first commit, which brings the password's ciphertext as
   * well: a store that has a root record and none of its keys never exists, so that nobody can go back to it to have
   * the keys made anew.
   */
  static create(
    keeper: RecordKeeper,
    key: KeyObject,
    state: RootState,
    passwordBlob: Uint8Array | undefined,
  ): SealedStore {
    const store = new SealedStore(keeper, key, { format: 1, ...state, records: {} }, 0);
    if (passwordBlob !== undefined) {
      store.#unwritten = [{ ...PASSWORD_BLOB, expectedRevision: 0, bytes: passwordBlob }];
    }
    return store;
  }

  /**
   * Opens what was written before, and sees that it is all there.
   * @throws StoreError STORE_ROOT_UNREADABLE, STORE_RECORD_MISSING, STORE_RECORD_ALTERED, STORE_RECORD_UNKNOWN
   */
  static async open(keeper: RecordKeeper, key: KeyObject): Promise<SealedStore> {
    const sealed = await keeper.readRecord(ROOT);
    if (sealed === null) throw new StoreError('STORE_RECORD_MISSING', 'no root record', { ...ROOT });
    const plaintext = openRecord(key, { ...ROOT, revision: sealed.revision }, sealed.bytes);
    if (plaintext === undefined)
      throw new StoreError('STORE_ROOT_UNREADABLE', 'the root record does not open');
    const root = decodeRoot(plaintext);
    assertRecords(root, await keeper.listRecords());
    return new SealedStore(keeper, key, root, sealed.revision);
  }

  get state(): RootState {
    return this.#root;
  }

  /**
   * A record's plaintext, which the caller clears; null when none was ever written.
   * @throws StoreError STORE_RECORD_MISSING, STORE_RECORD_ALTERED
   */
  async read(place: RecordKey): Promise<Uint8Array | null> {
    const expected = this.#root.records[slot(place)];
    if (expected === undefined) return null;
    const sealed = await this.#keeper.readRecord(place);
    const details = { table: place.table, id: place.id };
    if (sealed === null) throw new StoreError('STORE_RECORD_MISSING', 'a sealed record is gone', details);
    const isLatest =
      sealed.revision === expected.revision && Buffer.compare(sha256(sealed.bytes), expected.digest) === 0;
    const plaintext = isLatest
      ? openRecord(this.#key, { table: place.table, id: place.id, revision: expected.revision }, sealed.bytes)
      : undefined;
    if (plaintext === undefined) {
      throw new StoreError('STORE_RECORD_ALTERED', 'a sealed record is not the one written last', details);
    }
    return plaintext;
  }

  /**
   * Writes all changes and the new root record, or nothing. One commit runs at a time.
   * @throws StoreError STORE_TAKEN, STORE_UNCERTAIN: after either the node must stop.
   */
  async commit(changes: readonly RecordChange[], state: Partial<RootState> = {}): Promise<void> {
    const result = this.#last.then(() => this.#write(changes, state));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #write(changes: readonly RecordChange[], state: Partial<RootState>): Promise<void> {
    const records = { ...this.#root.records };
    const writes = [...this.#unwritten];
    for (const { table, id, plaintext } of changes) {
      const known = records[slot({ table, id })];
      const expectedRevision = known?.revision ?? 0;
      const revision = expectedRevision + 1;
      if (plaintext === null) {
        // The parent would take it for a conflict, and the node would end for nothing.
        if (known === undefined) continue;
        delete records[slot({ table, id })];
        writes.push({ table, id, expectedRevision, bytes: null });
        continue;
      }
      const bytes = sealRecord(this.#key, { table, id, revision }, plaintext);
      records[slot({ table, id })] = { revision, digest: sha256(bytes) };
      writes.push({ table, id, expectedRevision, bytes });
    }
    const root = { ...this.#root, ...state, records };
    const revision = this.#revision + 1;
    const bytes = sealRecord(this.#key, { ...ROOT, revision }, encodeRoot(root));
    writes.push({ ...ROOT, expectedRevision: this.#revision, bytes });
    await this.#send(writes);
    this.#unwritten = [];
    this.#root = root;
    this.#revision = revision;
  }

  async #send(writes: readonly RecordWrite[]): Promise<void> {
    try {
      await this.#keeper.commit(writes);
    } catch (error) {
      if (error instanceof ControlError && error.code === 'CONTROL_STORE_CONFLICT') {
        throw new StoreError('STORE_TAKEN', 'another enclave writes to this store', {}, error);
      }
      throw new StoreError('STORE_UNCERTAIN', 'a write was neither confirmed nor refused', {}, error);
    }
  }
}

/** The parent's list must be the root record's, no more and no less. */
function assertRecords(root: RootRecord, listed: readonly (RecordKey & { revision: number })[]): void {
  const unseen = new Set(Object.keys(root.records));
  for (const { table, id, revision } of listed) {
    const name = slot({ table, id });
    if (name === slot(ROOT) || name === slot(PASSWORD_BLOB)) continue;
    const expected = root.records[name];
    if (expected === undefined) {
      throw new StoreError('STORE_RECORD_UNKNOWN', 'a record that this node has not written', { table, id });
    }
    if (revision !== expected.revision) {
      throw new StoreError('STORE_RECORD_ALTERED', 'a sealed record is not the one written last', {
        table,
        id,
        expected: expected.revision,
        actual: revision,
      });
    }
    unseen.delete(name);
  }
  const [missing] = unseen;
  if (missing !== undefined)
    throw new StoreError('STORE_RECORD_MISSING', 'a sealed record is gone', { record: missing });
}

function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(data).digest());
}
