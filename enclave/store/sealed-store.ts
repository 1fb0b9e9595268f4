import { hash, type KeyObject } from 'node:crypto';
import { PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import {
  MAX_CONTROL_FRAME_BYTES,
  MAX_RECORD_BYTES,
  MAX_WRITES,
  MAX_LOG_ENTRIES,
  MAX_LOG_ENTRY_BYTES,
  type LogAddition,
  type RecordKey,
  type RecordWrite,
} from '../../shared/protocol/control.ts';
import { ControlError } from '../../shared/protocol/errors.ts';
import type { ControlClient } from '../../shared/protocol/control-client.ts';
import { StoreError } from './errors.ts';
import type { RecordState } from './index-node.ts';
import { openRecord, SEAL_BYTES, sealRecord } from './record-cipher.ts';
import {
  countRecords,
  EMPTY_INDEX,
  findEntry,
  type IndexChange,
  type IndexNode,
  listEntries,
  updateIndex,
} from './record-index.ts';
import { decodeRoot, EMPTY_LOG, encodeRoot, type ListRootRecord, type RootState } from './root-record.ts';
import {
  applyUpdate,
  listSealed,
  makeUnwrittenIndex,
  nodePlace,
  readIndex,
  type SealedIndex,
  writeIndex,
} from './sealed-index.ts';
import { createSequence, type Sequence } from '../../shared/sequence.ts';

/** The root record's place. */
export const ROOT: RecordKey = Object.freeze({ table: 'store', id: 'root' });
/** The KMS ciphertext of a generated password: the one record that is not sealed, since it opens the seal. */
export const PASSWORD_BLOB: RecordKey = Object.freeze({ table: 'boot', id: PASSWORD_SECRET });

/**
 * The most records in a store, those of its index not counted. The parent keeps some more in all
 * (MAX_RECORDS), and a commit that makes as many keys as a configuration may name still fits into one frame.
 */
export const MAX_SEALED_RECORDS = 24_576;
/** The tables that are the store's own. */
const OWN_TABLES: ReadonlySet<string> = new Set([ROOT.table, PASSWORD_BLOB.table, nodePlace('').table]);
/** Bytes of a write in a frame beside its names and content: the keys of its map, lengths, a revision. */
const WRITE_OVERHEAD_BYTES = 64;

/** The parent's storage of records. Nothing that it returns is believed without a seal. */
export type RecordStorage = Pick<ControlClient, 'readRecord' | 'listRecords' | 'commit'>;

/** A new content of a record; `plaintext: null` deletes it. */
export interface RecordChange extends RecordKey {
  readonly plaintext: Uint8Array | null;
}

/** The contents of a store between two commits. */
interface Contents {
  readonly state: RootState;
  /** SHA-256 of the root record's plaintext; of nothing before the first commit. */
  readonly digest: Uint8Array;
  /** The root record's revision; 0 before the first commit. */
  readonly revision: number;
  /** The index as it lies in the parent's store. */
  readonly index: SealedIndex;
}

const slot = ({ table, id }: RecordKey) => `${table}/${id}`;

/** The records of one node, sealed under its Encryptor Master Password and kept by the parent (SPEC.md). */
export class SealedStore {
  readonly #storage: RecordStorage;
  readonly #key: KeyObject;
  #contents: Contents;
  /**
   * The tree of all records. Only in a store of format 1, until its next commit, does it differ from the sealed tree.
   */
  #tree: IndexNode;
  readonly #inTurn: Sequence = createSequence();
  /** Writes that the first commit contains in addition. */
  #unwritten: readonly RecordWrite[] = [];

  private constructor(storage: RecordStorage, key: KeyObject, contents: Contents, tree: IndexNode) {
    this.#storage = storage;
    this.#key = key;
    this.#contents = contents;
    this.#tree = tree;
  }

  /**
   * Creates a store. Nothing is written before the first commit, which also contains the password's ciphertext: a store
   * with a root record and without keys never exists, so that no rollback can have the keys made anew.
   */
  static create(
    storage: RecordStorage,
    key: KeyObject,
    state: Omit<RootState, 'log'>,
    passwordBlob: Uint8Array | undefined,
  ): SealedStore {
    const store = new SealedStore(
      storage,
      key,
      {
        state: { ...state, log: EMPTY_LOG },
        digest: sha256(new Uint8Array()),
        revision: 0,
        index: makeUnwrittenIndex(),
      },
      EMPTY_INDEX,
    );
    if (passwordBlob !== undefined) {
      store.#unwritten = [{ ...PASSWORD_BLOB, expectedRevision: 0, bytes: passwordBlob }];
    }
    return store;
  }

  /**
   * Opens an existing store and checks that it is complete: reads the whole index and compares it with the
   * parent's list.
   * @throws StoreError STORE_ROOT_UNREADABLE, STORE_FORMAT_UNKNOWN, STORE_RECORD_MISSING, STORE_RECORD_ALTERED,
   * STORE_RECORD_UNKNOWN
   */
  static async open(storage: RecordStorage, key: KeyObject): Promise<SealedStore> {
    const sealed = await storage.readRecord(ROOT);
    if (sealed === null)
      throw new StoreError('STORE_RECORD_MISSING', 'the store has no root record', { ...ROOT });
    const { revision } = sealed;
    const plaintext = openRecord(key, { ...ROOT, revision }, sealed.bytes);
    if (plaintext === undefined)
      throw new StoreError(
        'STORE_ROOT_UNREADABLE',
        'the root record does not open: altered, or sealed under another key',
      );
    const root = decodeRoot(plaintext);
    const digest = sha256(plaintext);
    const { order, configuration, boots } = root;
    const state = { order, configuration, boots, log: 'log' in root ? root.log : EMPTY_LOG };
    if (root.format === 1) {
      const tree = readList(root);
      assertRecords(makeUnwrittenIndex(tree), await storage.listRecords());
      return new SealedStore(storage, key, { state, digest, revision, index: makeUnwrittenIndex() }, tree);
    }
    const index = await readIndex(root.index, (place, expected) => readSealed(storage, key, place, expected));
    assertRecords(index, await storage.listRecords());
    return new SealedStore(storage, key, { state, digest, revision, index }, index.tree);
  }

  get state(): RootState {
    return this.#contents.state;
  }

  /**
   * SHA-256 of the root record's plaintext, and so of all that is sealed: the root names the revision and digest of
   * every record.
   */
  get digest(): Uint8Array {
    return this.#contents.digest;
  }

  /** Number of records, at most {@link MAX_SEALED_RECORDS}. */
  get size(): number {
    return countRecords(this.#tree);
  }

  /** Lists the places of all records. */
  *list(): Generator<RecordKey> {
    for (const { table, id } of listEntries(this.#tree)) yield { table, id };
  }

  /**
   * Reads a record's plaintext, which the caller clears; null when there is no such record.
   * @throws StoreError STORE_RECORD_MISSING, STORE_RECORD_ALTERED
   */
  async read(place: RecordKey): Promise<Uint8Array | null> {
    const [plaintext] = await this.readParts([place]);
    return plaintext ?? null;
  }

  /**
   * Reads records one after the other up to the first that is missing, with no commit between them. A read and a commit
   * never overlap: of two frames under way the parent may carry out either first, and what it answers then would seem
   * altered.
   *
   * @returns plaintexts, which the caller clears
   * @throws StoreError STORE_RECORD_MISSING, STORE_RECORD_ALTERED
   */
  async readParts(places: readonly RecordKey[]): Promise<Uint8Array[]> {
    return await this.#inTurn(async () => {
      const parts: Uint8Array[] = [];
      for (const { table, id } of places) {
        const entry = findEntry(this.#tree, { table, id });
        if (entry === undefined) break;
        parts.push(await readSealed(this.#storage, this.#key, { table, id }, entry));
      }
      return parts;
    });
  }

  /**
   * Writes all changes, the nodes of the index above them and the new root record, and appends entries to the log, or
   * does nothing. One commit runs at a time.
   *
   * @param entries up to {@link MAX_LOG_ENTRIES} of at most {@link MAX_LOG_ENTRY_BYTES} bytes; `state.log` is the
   * log's state after them
   * @throws StoreError STORE_FULL: nothing was written; STORE_TAKEN, STORE_UNCERTAIN: after either the node must stop
   */
  async commit(
    changes: readonly RecordChange[],
    state: Partial<RootState> = {},
    entries: readonly Uint8Array[] = [],
  ): Promise<void> {
    await this.#inTurn(() => this.#write(changes, state, entries));
  }

  async #write(
    changes: readonly RecordChange[],
    change: Partial<RootState>,
    entries: readonly Uint8Array[],
  ): Promise<void> {
    const writes = [...this.#unwritten];
    const seal = (place: RecordKey, known: RecordState | undefined, plaintext: Uint8Array | null) => {
      const expectedRevision = known?.revision ?? 0;
      if (plaintext === null) {
        writes.push({ ...place, expectedRevision, bytes: null });
        return undefined;
      }
      const revision = expectedRevision + 1;
      const bytes = sealRecord(this.#key, { ...place, revision }, plaintext);
      writes.push({ ...place, expectedRevision, bytes });
      return { revision, digest: sha256(bytes) };
    };
    assertChanges(changes);
    const log = makeAddition(this.#contents.state, change, entries);
    const indexed = changes.flatMap(({ table, id, plaintext }): IndexChange[] => {
      const known = findEntry(this.#tree, { table, id });
      // To the parent, the deletion of a missing record is a conflict, and a conflict would end the node.
      if (plaintext === null && known === undefined) return [];
      const sealed = seal({ table, id }, known, plaintext);
      return [{ place: { table, id }, entry: sealed && { table, id, ...sealed } }];
    });
    const tree = updateIndex(this.#tree, indexed);
    const update = writeIndex(this.#contents.index, tree, ({ table, id, before, plaintext }) =>
      seal({ table, id }, before, plaintext),
    );
    const state = { ...this.#contents.state, ...change };
    const { revision } = this.#contents;
    const root = encodeRoot({ format: 3, ...state, index: update.top });
    seal(ROOT, { revision, digest: new Uint8Array() }, root);
    assertRoom(tree, writes, entries);
    await this.#send(writes, log);
    this.#unwritten = [];
    this.#contents = {
      state,
      digest: sha256(root),
      revision: revision + 1,
      index: applyUpdate(this.#contents.index, update),
    };
    this.#tree = tree;
  }

  async #send(writes: readonly RecordWrite[], log: LogAddition | undefined): Promise<void> {
    try {
      await this.#storage.commit(writes, log);
    } catch (error) {
      if (error instanceof ControlError && error.code === 'CONTROL_STORE_CONFLICT') {
        throw new StoreError('STORE_TAKEN', 'another enclave writes to this store', {}, error);
      }
      if (error instanceof ControlError && error.code === 'CONTROL_STORE_FULL') {
        throw new StoreError('STORE_FULL', "the parent's store takes no more records", {}, error);
      }
      throw new StoreError('STORE_UNCERTAIN', 'a write was neither confirmed nor refused', {}, error);
    }
  }
}

/** Reads the plaintext of a record in a given state. @throws StoreError STORE_RECORD_MISSING, STORE_RECORD_ALTERED */
async function readSealed(
  storage: RecordStorage,
  key: KeyObject,
  { table, id }: RecordKey,
  { revision, digest }: RecordState,
): Promise<Uint8Array> {
  const sealed = await storage.readRecord({ table, id });
  if (sealed === null) throw new StoreError('STORE_RECORD_MISSING', 'a sealed record is gone', { table, id });
  const isLatest = sealed.revision === revision && Buffer.compare(sha256(sealed.bytes), digest) === 0;
  const plaintext = isLatest ? openRecord(key, { table, id, revision }, sealed.bytes) : undefined;
  if (plaintext === undefined) {
    throw new StoreError('STORE_RECORD_ALTERED', 'a sealed record is not the one written last', {
      table,
      id,
    });
  }
  return plaintext;
}

/** Builds the index from the list in a root record of format 1. */
function readList({ records }: ListRootRecord): IndexNode {
  const changes = Object.entries(records).map(([name, { revision, digest }]): IndexChange => {
    // Names of tables and records have no slash of their own.
    const [table = '', id = ''] = name.split('/');
    return { place: { table, id }, entry: { table, id, revision, digest } };
  });
  return updateIndex(EMPTY_INDEX, changes);
}

function assertChanges(changes: readonly RecordChange[]): void {
  if (new Set(changes.map(slot)).size !== changes.length) throw new RangeError('a record is changed twice');
  for (const { table, plaintext } of changes) {
    if (OWN_TABLES.has(table)) throw new RangeError(`the table ${table} is the store's own`);
    if (plaintext !== null && plaintext.length > MAX_RECORD_BYTES - SEAL_BYTES) {
      throw new RangeError(`expected records of at most ${MAX_RECORD_BYTES} bytes`);
    }
  }
}

/** Asserts that entries continue the log as a new state says, and returns the part of the commit that they make. */
function makeAddition(
  { log: { size } }: RootState,
  { log }: Partial<RootState>,
  entries: readonly Uint8Array[],
): LogAddition | undefined {
  if ((log?.size ?? size) !== size + entries.length)
    throw new RangeError('the state of the log is not the one after the entries');
  if (entries.some(({ length }) => length > MAX_LOG_ENTRY_BYTES))
    throw new RangeError(`expected entries of at most ${MAX_LOG_ENTRY_BYTES} bytes`);
  return entries.length === 0 ? undefined : { start: size, entries: [...entries] };
}

/** Asserts that the parent can take a commit, before anything is sent. @throws StoreError STORE_FULL */
function assertRoom(tree: IndexNode, writes: readonly RecordWrite[], entries: readonly Uint8Array[]): void {
  const bytes =
    writes.reduce(
      (sum, write) => sum + slot(write).length + (write.bytes?.length ?? 0) + WRITE_OVERHEAD_BYTES,
      0,
    ) + entries.reduce((sum, { length }) => sum + length + WRITE_OVERHEAD_BYTES, 0);
  for (const [what, actual, maximum] of [
    ['records', countRecords(tree), MAX_SEALED_RECORDS],
    ['writes in one commit', writes.length, MAX_WRITES],
    ['entries in one commit', entries.length, MAX_LOG_ENTRIES],
    ['bytes in one commit', bytes, MAX_CONTROL_FRAME_BYTES - WRITE_OVERHEAD_BYTES],
  ] as const) {
    if (actual > maximum) {
      throw new StoreError('STORE_FULL', `the store has no room for so many ${what}`, {
        what,
        actual,
        maximum,
      });
    }
  }
}

/** Asserts that the parent's list has exactly the records that the index accounts for. */
function assertRecords(index: SealedIndex, listed: readonly (RecordKey & { revision: number })[]): void {
  const unseen = new Map<string, number>();
  for (const record of listSealed(index)) unseen.set(slot(record), record.revision);
  for (const { table, id, revision } of listed) {
    const name = slot({ table, id });
    if (name === slot(ROOT) || name === slot(PASSWORD_BLOB)) continue;
    const expected = unseen.get(name);
    if (expected === undefined) {
      throw new StoreError('STORE_RECORD_UNKNOWN', 'a record that this node has not written', { table, id });
    }
    if (revision !== expected) {
      throw new StoreError('STORE_RECORD_ALTERED', 'a sealed record is not the one written last', {
        table,
        id,
        expected,
        actual: revision,
      });
    }
    unseen.delete(name);
  }
  const [missing] = unseen.keys();
  if (missing !== undefined)
    throw new StoreError('STORE_RECORD_MISSING', 'a sealed record is gone', { record: missing });
}

function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', data, 'buffer'));
}
