import { randomUUID } from 'node:crypto';
import {
  type CreatePoolKeyRequest,
  MAX_POOL_METADATA_BYTES,
  type PoolKeyChange,
} from '../../shared/api/pool-keys.ts';
import type { Configuration, Pool } from '../../shared/documents/configuration.ts';
import { MAX_POOL_RECORDS } from '../../shared/documents/configuration/pools.ts';
import type { KeyUsage, PoolKeyType } from '../../shared/algorithms.ts';
import { type Curves, generatePoolKey, type HeldKey } from '../keys/index.ts';
import type { StateSource } from '../log/index.ts';
import { BootError } from '../node/errors.ts';
import { MAX_SEALED_RECORDS, type RecordChange, type SealedStore, StoreError } from '../store/index.ts';
import { assertDescription, assertEnabled, changeRecord, removeAlias } from './change.ts';
import { PoolError } from './errors.ts';
import { HeldPoolKey } from './held-pool-key.ts';
import { describePublicKey } from './public-key.ts';
import { decodeRecord, digestCreation, encodeRecord, type PoolKeyRecord } from './record.ts';

/** The tables of what is known of keys, and of their secrets; each by the id of the key. */
export const POOL_KEYS_TABLE = 'pool-keys';
export const POOL_SECRETS_TABLE = 'pool-secrets';

/** Records that a store keeps free for what decisions seal, when keys of pools have filled it. */
const SPARE_RECORDS = 1024;
/** The most records that a start deletes in one commit. */
const MAX_DELETIONS = 512;
/** The longest time that a timer of Node takes at once; deletions are days away. */
const MAX_TIMER_MS = 3_600_000;

/** A key in a pool, or the record of one that the configuration in force serves no more. */
interface Entry {
  readonly record: PoolKeyRecord;
  readonly bytes: number;
  /** Undefined where the configuration does not serve it. */
  readonly served: { readonly pool: Pool; readonly key: HeldPoolKey } | undefined;
}

/** A key of a pool that the configuration in force serves. */
export interface ServedKey {
  readonly record: PoolKeyRecord;
  /** The key in memory. @throws KeyError KEY_MALFORMED */
  readonly key: () => HeldKey;
}

/** A key that was made and is not a key of the pool yet. */
export interface NewKey {
  readonly record: PoolKeyRecord;
  readonly key: HeldKey;
}

export interface PoolKeysOptions {
  readonly configuration: Pick<Configuration, 'pools' | 'dropPoolKeys' | 'keys'>;
  readonly curves: Curves;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

type ReadableStore = Pick<SealedStore, 'list' | 'read' | 'size'>;

/**
 * The keys of pools, and what is known of each: in memory, and as changes for the commit that has the entry of the log
 * which tells of them. What changes them is called while that entry is made, and looks at their state of that moment.
 */
export class PoolKeys implements StateSource {
  readonly isBound = true;
  readonly #store: Pick<SealedStore, 'size'>;
  readonly #pools: ReadonlyMap<string, Pool>;
  readonly #ownNames: ReadonlySet<string>;
  readonly #curves: Curves;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  /** Ids of keys by their aliases, also of keys that are not served: a pool may come back. */
  readonly #aliases = new Map<string, string>();
  readonly #tokens = new Map<string, string>();
  readonly #changes = new Map<string, RecordChange>();
  /** Bytes of all records. */
  #bytes = 0;
  #nextDeletion = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #onDeleted: (() => void) | undefined;

  private constructor(store: Pick<SealedStore, 'size'>, { configuration, curves, now }: PoolKeysOptions) {
    this.#store = store;
    this.#pools = new Map((configuration.pools ?? []).map((pool) => [pool.id, pool]));
    // Doors write an id with dots, which aliases have not, with slashes.
    this.#ownNames = new Set(configuration.keys.flatMap(({ id }) => [id, id.replaceAll('.', '/')]));
    this.#curves = curves;
    this.#now = now;
  }

  /**
   * Brings the keys of earlier boots into memory. Keys whose deletion is due, and those that the configuration orders to
   * drop, are changes for the next commit and nothing else any more.
   *
   * @throws BootError KEY_MISSING for half a key, KEY_MISMATCH for what this node has not written; StoreError
   */
  static async restore(store: ReadableStore, options: PoolKeysOptions): Promise<PoolKeys> {
    const pools = new PoolKeys(store, options);
    const dropped = new Set(options.configuration.dropPoolKeys);
    const [known, secrets] = listPlaces(store);
    for (const id of new Set([...known, ...secrets])) {
      if (!known.has(id) || !secrets.has(id))
        throw new BootError('KEY_MISSING', 'the store does not hold all of a key of a pool', { key: id });
      if (dropped.has(id)) {
        pools.#delete(id);
        continue;
      }
      try {
        await pools.#load(store, id);
      } catch (error) {
        pools.destroy();
        throw error;
      }
    }
    pools.expire();
    return pools;
  }

  /**
   * Seals the deletions that a start has found, before anything else writes to the store. They are found again by the next
   * start, where this one ends in between.
   *
   * @throws StoreError
   */
  async sealDeletions(store: Pick<SealedStore, 'commit'>): Promise<void> {
    const changes = this.collectChanges();
    for (let start = 0; start < changes.length; start += MAX_DELETIONS)
      await store.commit(changes.slice(start, start + MAX_DELETIONS));
  }

  /** Has `onDeleted` called after keys were deleted because their time had come, whether anybody asks for them or not. */
  watch(onDeleted: () => void): void {
    this.#onDeleted = onDeleted;
    this.#schedule();
  }

  /** Number of records of keys that the configuration in force does not serve. */
  get unnamed(): number {
    let unnamed = 0;
    for (const { served } of this.#entries.values()) if (served === undefined) unnamed += 2;
    return unnamed;
  }

  /** Finds a key that the configuration in force serves. */
  find(id: string): ServedKey | undefined {
    this.expire();
    const entry = this.#entries.get(id);
    const served = entry?.served;
    if (entry === undefined || served === undefined) return undefined;
    return { record: entry.record, key: () => served.key.use() };
  }

  /** Lists the keys of a pool, the oldest first. */
  list(pool: string): PoolKeyRecord[] {
    this.expire();
    const records: PoolKeyRecord[] = [];
    for (const { record, served } of this.#entries.values())
      if (record.pool === pool && served !== undefined) records.push(record);
    return records.toSorted((one, other) => one.created - other.created || (one.id < other.id ? -1 : 1));
  }

  /** Finds the key that a client's creation of this token has made; the token is one of that client and pool alone. */
  findCreated(client: string, pool: string, token: string): PoolKeyRecord | undefined {
    const id = this.#tokens.get(tokenName({ client, pool, token }));
    return id === undefined ? undefined : this.find(id)?.record;
  }

  /**
   * Asserts that a pool takes another key, before one is made.
   *
   * @throws PoolError POOL_FULL, DESCRIPTION_REFUSED, POOL_METADATA_FULL; StoreError STORE_FULL
   */
  assertRoom(pool: string, { description }: Pick<CreatePoolKeyRequest, 'description'>): void {
    this.expire();
    const settings = this.#requirePool(pool);
    assertDescription(settings, description);
    let count = 0;
    for (const { record } of this.#entries.values()) if (record.pool === pool) count += 1;
    if (count >= settings.maximum)
      throw new PoolError('POOL_FULL', 'the pool holds as many keys as it may', {
        pool,
        maximum: settings.maximum,
      });
    // What no commit can write would keep everything else out of the store, too.
    const own = 2 * (this.#entries.size + 1);
    const all = this.#store.size + this.#changes.size + 2;
    for (const [actual, maximum] of [
      [own, MAX_POOL_RECORDS],
      [all, MAX_SEALED_RECORDS - SPARE_RECORDS],
    ] as const) {
      if (actual > maximum)
        throw new StoreError('STORE_FULL', 'the store has no room for another key of a pool', {
          actual,
          maximum,
        });
    }
  }

  /** Makes a key that is none of a pool yet; the caller destroys it, where it does not become one. */
  generate(type: PoolKeyType, usage: KeyUsage): Promise<HeldKey> {
    return generatePoolKey(this.#curves, type, usage);
  }

  /** Describes a key that is to become one of a pool; the caller gives it to {@link insert}, or destroys it. */
  describeNew(
    key: HeldKey,
    request: CreatePoolKeyRequest,
    { client, pool }: { readonly client: string; readonly pool: string },
  ): NewKey {
    const { type, usage, description, tags, token } = request;
    const record: PoolKeyRecord = {
      format: 'holdfast-pool-key/1',
      id: randomUUID(),
      pool,
      type,
      usage,
      publicKey: describePublicKey(type, key.publicKey),
      client,
      token,
      request: digestCreation(pool, request),
      description,
      aliases: [],
      tags: tags.map(({ key: name, value }) => ({ key: name, value })),
      state: 'enabled',
      created: this.#now(),
      deletionTime: null,
      named: false,
    };
    return { record, key };
  }

  /**
   * Makes a new key one of its pool.
   *
   * @returns the sealed form of its secret, which the caller clears once the commit with the entry has succeeded
   * @throws PoolError POOL_FULL, DESCRIPTION_REFUSED, POOL_METADATA_FULL; StoreError STORE_FULL
   */
  insert({ record, key }: NewKey): Uint8Array {
    this.assertRoom(record.pool, record);
    this.#assertMetadata(measure(record));
    const pool = this.#requirePool(record.pool);
    const secret = key.serialise();
    this.#put(record, { pool, key: HeldPoolKey.of(key) });
    this.#changes.set(`${POOL_SECRETS_TABLE}/${record.id}`, {
      table: POOL_SECRETS_TABLE,
      id: record.id,
      plaintext: secret,
    });
    return secret;
  }

  /** Notes that a request has named a key and may use it. @throws PoolError KEY_DISABLED, KEY_PENDING_DELETION */
  use(id: string): void {
    assertEnabled(this.#require(id).record);
    this.name(id);
  }

  /** Notes that a request has named a key. @returns false where one has before @throws PoolError POOL_KEY_UNKNOWN */
  name(id: string): boolean {
    const { record, served } = this.#require(id);
    if (record.named) return false;
    this.#put({ ...record, named: true }, served);
    return true;
  }

  /**
   * Computes what a change makes of a key, and changes nothing.
   *
   * @throws PoolError
   */
  plan(id: string, change: PoolKeyChange): PoolKeyRecord {
    const { record, served } = this.#require(id);
    if (served === undefined) throw unknown(id);
    const owner = 'alias' in change ? this.#aliases.get(change.alias) : undefined;
    if (change.change === 'move-alias') {
      const from = owner === undefined ? undefined : this.#entries.get(owner)?.record;
      // Whoever administers one pool takes nothing from another one.
      if (from === undefined || from.pool !== record.pool)
        throw new PoolError('ALIAS_UNKNOWN', 'no key of the pool has this alias', { alias: change.alias });
      if (from.type !== record.type || from.usage !== record.usage)
        throw new PoolError('ALIAS_MISMATCH', 'the alias is that of a key of another type or usage', {
          alias: change.alias,
        });
      if (from.id === id) return { ...record, named: true };
    }
    // What the pool refuses is refused first: nobody learns by an alias that is none of the pool's what others are called.
    const changed = { ...changeRecord(record, change, { pool: served.pool, now: this.#now() }), named: true };
    if (change.change === 'add-alias' && (owner !== undefined || this.#ownNames.has(change.alias)))
      throw new PoolError('ALIAS_EXISTS', 'another key has the alias', { alias: change.alias });
    this.#assertMetadata(measure(changed) - measure(record));
    return changed;
  }

  /** Changes a key, and takes an alias that is moved from the key that has it. @throws PoolError */
  change(id: string, change: PoolKeyChange): PoolKeyRecord {
    const changed = this.plan(id, change);
    const { served } = this.#require(id);
    if (change.change === 'move-alias') {
      const owner = this.#entries.get(this.#aliases.get(change.alias) ?? '');
      if (owner !== undefined && owner.record.id !== id)
        this.#put({ ...owner.record, aliases: removeAlias(owner.record, change.alias) }, owner.served);
    }
    this.#put(changed, served);
    this.#schedule();
    return changed;
  }

  /** Deletes the keys whose time has come, by the NSM's clock. */
  expire(): void {
    const now = this.#now();
    if (now < this.#nextDeletion) return;
    for (const { record } of this.#entries.values())
      if (record.deletionTime !== null && record.deletionTime <= now) this.#delete(record.id);
    this.#findNextDeletion();
    this.#onDeleted?.();
  }

  collectChanges(): RecordChange[] {
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    return changes;
  }

  /** Records that wait to be written, and their bytes. */
  get waiting(): { readonly count: number; readonly bytes: number } {
    let [count, bytes] = [0, 0];
    for (const { plaintext } of this.#changes.values()) {
      if (plaintext === null) continue;
      count += 1;
      bytes += plaintext.length;
    }
    return { count, bytes };
  }

  /** Clears all keys. */
  destroy(): void {
    clearTimeout(this.#timer);
    this.#onDeleted = undefined;
    for (const { served } of this.#entries.values()) served?.key.destroy();
    this.#entries.clear();
  }

  async #load(store: ReadableStore, id: string): Promise<void> {
    const bytes = await store.read({ table: POOL_KEYS_TABLE, id });
    const record = bytes === null ? undefined : decodeRecord(id, bytes);
    if (record === undefined)
      throw new BootError('KEY_MISMATCH', 'the store does not hold this key of a pool in its form', {
        key: id,
      });
    const pool = this.#pools.get(record.pool);
    if (pool === undefined || !pool.types.includes(record.type)) {
      this.#hold(record, undefined);
      return;
    }
    const secret = await store.read({ table: POOL_SECRETS_TABLE, id });
    if (secret === null) throw new BootError('KEY_MISSING', 'the secret of a key is gone', { key: id });
    this.#hold(record, { pool, key: HeldPoolKey.restore(this.#curves, record, secret) });
  }

  #require(id: string): Entry {
    this.expire();
    const entry = this.#entries.get(id);
    if (entry?.served === undefined) throw unknown(id);
    return entry;
  }

  #requirePool(id: string): Pool {
    const pool = this.#pools.get(id);
    if (pool === undefined) throw new RangeError('expected a pool of the configuration');
    return pool;
  }

  #assertMetadata(more: number): void {
    if (more <= 0 || this.#bytes + more <= MAX_POOL_METADATA_BYTES) return;
    throw new PoolError(
      'POOL_METADATA_FULL',
      'keys of pools have as many descriptions and tags as they may',
      {
        maximum: MAX_POOL_METADATA_BYTES,
      },
    );
  }

  /** Holds a record and has it sealed. */
  #put(record: PoolKeyRecord, served: Entry['served']): void {
    this.#hold(record, served);
    const place = { table: POOL_KEYS_TABLE, id: record.id };
    this.#changes.set(`${place.table}/${place.id}`, { ...place, plaintext: encodeRecord(record) });
  }

  #hold(record: PoolKeyRecord, served: Entry['served']): void {
    this.#forget(record.id);
    const bytes = measure(record);
    this.#entries.set(record.id, { record, bytes, served });
    this.#bytes += bytes;
    for (const alias of record.aliases) this.#aliases.set(alias, record.id);
    this.#tokens.set(tokenName(record), record.id);
    this.#nextDeletion = Math.min(this.#nextDeletion, record.deletionTime ?? Infinity);
  }

  /** Forgets what is known of a key, but for the key itself. */
  #forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    for (const alias of entry.record.aliases) this.#aliases.delete(alias);
    this.#tokens.delete(tokenName(entry.record));
  }

  #delete(id: string): void {
    this.#entries.get(id)?.served?.key.destroy();
    this.#forget(id);
    for (const table of [POOL_KEYS_TABLE, POOL_SECRETS_TABLE])
      this.#changes.set(`${table}/${id}`, { table, id, plaintext: null });
  }

  #findNextDeletion(): void {
    this.#nextDeletion = Infinity;
    for (const { record } of this.#entries.values())
      this.#nextDeletion = Math.min(this.#nextDeletion, record.deletionTime ?? Infinity);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#onDeleted === undefined || this.#nextDeletion === Infinity) return;
    const wait = Math.min(Math.max(this.#nextDeletion - this.#now(), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.expire();
      this.#schedule();
    }, wait).unref();
  }
}

function listPlaces(store: Pick<SealedStore, 'list'>): readonly [Set<string>, Set<string>] {
  const known = new Set<string>();
  const secrets = new Set<string>();
  for (const { table, id } of store.list()) {
    if (table === POOL_KEYS_TABLE) known.add(id);
    if (table === POOL_SECRETS_TABLE) secrets.add(id);
  }
  return [known, secrets];
}

const measure = (record: PoolKeyRecord): number => encodeRecord(record).length;

const tokenName = ({ client, pool, token }: Pick<PoolKeyRecord, 'client' | 'pool' | 'token'>): string =>
  `${client} ${pool} ${token}`;

function unknown(key: string): PoolError {
  return new PoolError('POOL_KEY_UNKNOWN', 'the node has no such key of a pool', { key });
}
