import { isShareType, type ShareType } from '../../shared/algorithms.ts';
import type { DropEntry, KeyEntry } from '../../shared/documents/configuration.ts';
import { AGGREGATE_CHAIN_CODE } from '../../shared/frost/index.ts';
import type { StoreUsage } from '../../shared/api/bodies.ts';
import type { RecordKey } from '../../shared/protocol/control.ts';
import { BootError } from '../node/errors.ts';
import type { AdmittedConfiguration } from '../node/configuration.ts';
import {
  clearShareRecord,
  decodeShareRecord,
  encodeShareRecord,
  type HeldShare,
  holdCurrent,
  NOBLE_ARITHMETIC,
  publicKeyOf,
  type ShareArithmetic,
  type ShareRecord,
} from '../frost/index.ts';
import { type Curves, generateKey, type HeldKey, isSoleKeyType, restoreKey } from '../keys/index.ts';
import { POOL_KEYS_TABLE, POOL_SECRETS_TABLE } from '../pools/index.ts';
import { MAX_SEALED_RECORDS, type RecordChange, type SealedStore } from '../store/index.ts';
import type { BootLeaf } from '../log/index.ts';
import { KeyringError } from './errors.ts';
import { listTranscriptChanges, readTranscript, TRANSCRIPTS } from './transcripts.ts';

const KEYS = 'keys';
const SHARES = 'shares';
/** Tables of records that no configuration names, or that their own part of the node counts. */
const COUNTED_ELSEWHERE: ReadonlySet<string> = new Set([TRANSCRIPTS, POOL_KEYS_TABLE, POOL_SECRETS_TABLE]);

/** The keys and shares that a node holds, by their id in the configuration. */
export class Keyring {
  readonly #store: SealedStore;
  readonly #curves: Curves;
  readonly #arithmetic: ShareArithmetic;
  readonly #entries: ReadonlyMap<string, KeyEntry>;
  readonly #keys = new Map<string, HeldKey>();
  /** Shares of the epochs in force, which sign. */
  readonly #shares = new Map<string, HeldShare>();
  /** All that is sealed of each shared key. */
  readonly #records = new Map<string, ShareRecord>();
  /** Ids of shares that are being sealed: of two imports of one share at the same time, one is refused. */
  readonly #arriving = new Set<string>();

  /** Number of records that the configuration does not name; constant, since only records that it names are added. */
  #unnamed = 0;

  private constructor(
    store: SealedStore,
    { curves, arithmetic }: KeyringArithmetic,
    entries: readonly KeyEntry[],
  ) {
    this.#store = store;
    this.#curves = curves;
    this.#arithmetic = arithmetic;
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
  }

  /**
   * Brings what the configuration names into memory, makes the keys that it names for the first time, and seals them
   * together with the configuration's version. A key that should be there is never made anew: a parent that loses a
   * record would change the wallet's addresses. Shares that are not there yet await their import. What a newer
   * configuration orders to drop, and the boot leaf of the log, go in the same commit.
   *
   * @throws BootError KEY_MISSING, KEY_MISMATCH; StoreError
   */
  static async open(
    store: SealedStore,
    curves: Curves,
    entries: readonly KeyEntry[],
    admitted: AdmittedConfiguration,
    drops: readonly DropEntry[] = [],
    boot?: BootLeaf,
    arithmetic: ShareArithmetic = NOBLE_ARITHMETIC,
  ): Promise<Keyring> {
    const keyring = new Keyring(store, { curves, arithmetic }, entries);
    try {
      const made: string[] = [];
      for (const entry of entries) {
        if (await keyring.#load(entry)) continue;
        keyring.#keys.set(entry.id, makeKey(curves, entry, admitted.isNewer));
        made.push(entry.id);
      }
      const dropped = admitted.isNewer ? await keyring.#findDropped(drops) : [];
      await keyring.#sealKeys(made, dropped, admitted.state, boot);
      keyring.#unnamed = keyring.#countUnnamed();
      return keyring;
    } catch (error) {
      keyring.destroy();
      throw error;
    }
  }

  /** The arithmetic that shares of this node sign with. */
  get arithmetic(): ShareArithmetic {
    return this.#arithmetic;
  }

  /** Returns a key that signs alone; undefined for shares. */
  key(id: string): HeldKey | undefined {
    return this.#keys.get(id);
  }

  /** Returns the configuration's entry of a share; undefined for other keys. */
  shareEntry(id: string): (KeyEntry & { readonly type: ShareType }) | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && hasShareType(entry) ? entry : undefined;
  }

  /** Returns the chain code that children of a shared key are derived with (BIP-32): 32 bytes, the same in each epoch. */
  chainCode(id: string): Uint8Array {
    const { chainCode } = this.#entries.get(id) ?? {};
    return chainCode === undefined ? AGGREGATE_CHAIN_CODE : Buffer.from(chainCode, 'hex');
  }

  /** Returns the share of the epoch in force. @throws KeyringError SHARE_MISSING, SHARE_SUPERSEDED */
  share(id: string): HeldShare {
    const share = this.#shares.get(id);
    if (share !== undefined) return share;
    const superseded = this.#records.get(id)?.superseded;
    if (superseded) {
      throw new KeyringError('SHARE_SUPERSEDED', 'the key has gone on without a share of this node', {
        key: id,
        epoch: superseded.epoch,
      });
    }
    throw new KeyringError('SHARE_MISSING', 'this node holds no share of the key', { key: id });
  }

  /** Ids of all keys of the configuration that are shared. */
  shareIds(): readonly string[] {
    return [...this.#entries.values()].filter(hasShareType).map(({ id }) => id);
  }

  /** Returns all that the node holds of a shared key; undefined where that is nothing. */
  shareRecord(id: string): ShareRecord | undefined {
    return this.#records.get(id);
  }

  /** Reads the transcript of a ceremony by its id; null where it is not kept. @throws StoreError */
  readTranscript(id: string): Promise<Uint8Array | null> {
    return readTranscript(this.#store, id);
  }

  /**
   * Seals what is held of shared keys, and transcripts, in one commit; then holds it. Shares that no record has any more
   * are cleared. Changes of one key come one after the other.
   *
   * @throws StoreError: nothing has changed; FrostError SHARE_INVALID
   */
  async updateShares(
    records: ReadonlyMap<string, ShareRecord>,
    transcripts: readonly { readonly id: string; readonly bytes: Uint8Array | null }[],
  ): Promise<void> {
    await this.#sealShares(records, transcripts, new Map());
  }

  /** @param held shares that are held already, by the id of their key */
  async #sealShares(
    records: ReadonlyMap<string, ShareRecord>,
    transcripts: readonly { readonly id: string; readonly bytes: Uint8Array | null }[],
    held: Map<string, HeldShare | undefined>,
  ): Promise<void> {
    const changes: RecordChange[] = [];
    for (const { id, bytes } of transcripts) changes.push(...listTranscriptChanges(this.#store, id, bytes));
    try {
      for (const [id, record] of records) {
        if (this.shareEntry(id)?.type !== record.type)
          throw new RangeError('expected a share of the configuration');
        changes.push({ table: SHARES, id, plaintext: encodeShareRecord(record) });
        const isOther = record.current?.share !== this.#records.get(id)?.current?.share;
        if (isOther && !held.has(id)) held.set(id, holdCurrent(record, this.#arithmetic));
      }
      await this.#store.commit(changes);
    } catch (error) {
      for (const share of held.values()) share?.destroy();
      throw error;
    } finally {
      for (const { plaintext } of changes) plaintext?.fill(0);
    }
    for (const [id, record] of records) {
      const before = this.#records.get(id);
      if (before !== undefined) clearShareRecord(before, record);
      this.#records.set(id, record);
    }
    for (const [id, share] of held) {
      this.#shares.get(id)?.destroy();
      if (share === undefined) this.#shares.delete(id);
      else this.#shares.set(id, share);
    }
  }

  /** Asserts that a share was not imported yet. @throws KeyringError SHARE_EXISTS */
  assertNoShare(id: string): void {
    if (this.#records.has(id) || this.#arriving.has(id))
      throw new KeyringError('SHARE_EXISTS', 'the share was imported before', { key: id });
  }

  /**
   * Seals a share and then holds it, so that a share that signs is never lost in a crash. A share that is refused is
   * destroyed.
   * @throws KeyringError SHARE_EXISTS; StoreError
   */
  async takeShare(id: string, share: HeldShare): Promise<void> {
    let plaintext: Uint8Array | undefined;
    try {
      this.assertNoShare(id);
    } catch (error) {
      share.destroy();
      throw error;
    }
    this.#arriving.add(id);
    try {
      plaintext = share.serialise();
      const record = decodeShareRecord(share.type, plaintext);
      await this.#sealShares(new Map([[id, record]]), [], new Map([[id, share]]));
    } catch (error) {
      share.destroy();
      throw error;
    } finally {
      this.#arriving.delete(id);
      plaintext?.fill(0);
    }
  }

  /** Returns the public key that verifies what a key or share signs; undefined while there is none yet. */
  publicKey(id: string): Uint8Array | undefined {
    const record = this.#records.get(id);
    return this.#keys.get(id)?.publicKey ?? (record && publicKeyOf(record));
  }

  /** Number of records in the store, and of those that the configuration does not name. */
  get usage(): StoreUsage {
    return { records: this.#store.size, unnamed: this.#unnamed, maximum: MAX_SEALED_RECORDS };
  }

  /** Clears all keys and shares. */
  destroy(): void {
    for (const held of [...this.#keys.values(), ...this.#shares.values()]) held.destroy();
    for (const record of this.#records.values()) clearShareRecord(record);
    this.#keys.clear();
    this.#shares.clear();
    this.#records.clear();
  }

  #countUnnamed(): number {
    const named = new Set([...this.#entries.values()].map((entry) => placeName(recordKey(entry))));
    let unnamed = 0;
    for (const place of this.#store.list())
      if (!COUNTED_ELSEWHERE.has(place.table) && !named.has(placeName(place))) unnamed += 1;
    return unnamed;
  }

  #restore(entry: Pick<KeyEntry, 'id' | 'type'>, sealed: Uint8Array): Restored {
    return restore({ curves: this.#curves, arithmetic: this.#arithmetic }, entry, sealed);
  }

  /** Loads the key or share of an entry from the store; false where a key has to be made first. */
  async #load(entry: KeyEntry): Promise<boolean> {
    const { id, type } = entry;
    const sealed = await this.#store.read(recordKey(entry));
    if (sealed === null) return isShareType(type);
    try {
      const held = this.#restore(entry, sealed);
      if (held.key !== undefined) this.#keys.set(id, held.key);
      if (held.record !== undefined) this.#records.set(id, held.record);
      if (held.share !== undefined) this.#shares.set(id, held.share);
      assertHeld(entry, held);
    } finally {
      sealed.fill(0);
    }
    return true;
  }

  /**
   * Finds the records to drop that are still in the store, and asserts that they hold the keys that the order names.
   *
   * @throws BootError KEY_MISMATCH
   */
  async #findDropped(drops: readonly DropEntry[]): Promise<RecordKey[]> {
    const found: RecordKey[] = [];
    for (const drop of drops) {
      const place = recordKey(drop);
      const sealed = await this.#store.read(place);
      if (sealed === null) continue;
      let held: Restored | undefined;
      try {
        held = this.#restore(drop, sealed);
        assertHeld(drop, held);
      } finally {
        sealed.fill(0);
        held?.key?.destroy();
        held?.share?.destroy();
        if (held?.record !== undefined) clearShareRecord(held.record);
      }
      found.push(place);
    }
    return found;
  }

  /**
   * Seals new keys and drops records in one commit with the configuration's version, so that no store has the version
   * without them.
   */
  async #sealKeys(
    made: readonly string[],
    dropped: readonly RecordKey[],
    state: AdmittedConfiguration['state'],
    boot: BootLeaf | undefined,
  ): Promise<void> {
    const changes: RecordChange[] = dropped.map((place) => ({ ...place, plaintext: null }));
    try {
      for (const id of made) {
        changes.push({ table: KEYS, id, plaintext: this.#keys.get(id)?.serialise() ?? null });
      }
      if (boot === undefined) await this.#store.commit(changes, state);
      else await this.#store.commit(changes, { ...state, log: boot.log }, [boot.entry]);
    } finally {
      for (const { plaintext } of changes) plaintext?.fill(0);
    }
  }
}

function hasShareType(entry: KeyEntry): entry is KeyEntry & { type: ShareType } {
  return isShareType(entry.type);
}

function makeKey(curves: Curves, { id, type, publicKey }: KeyEntry, isNewer: boolean): HeldKey {
  if (!isSoleKeyType(type) || publicKey !== undefined || !isNewer) {
    throw new BootError('KEY_MISSING', 'the store does not hold a key that the configuration expects', {
      key: id,
    });
  }
  return generateKey(curves, type);
}

/** The arithmetic of whole keys, and that of shares. */
interface KeyringArithmetic {
  readonly curves: Curves;
  readonly arithmetic: ShareArithmetic;
}

/** What a record of the store holds: a whole key, or all that there is of a shared one. */
interface Restored {
  readonly key?: HeldKey;
  readonly record?: ShareRecord;
  readonly share?: HeldShare;
}

/** Restores a key or share from its plaintext, which the caller clears. @throws BootError KEY_MISMATCH */
function restore(
  { curves, arithmetic }: KeyringArithmetic,
  { id, type }: Pick<KeyEntry, 'id' | 'type'>,
  sealed: Uint8Array,
): Restored {
  try {
    if (!isShareType(type)) return { key: restoreKey(curves, type, sealed) };
    const record = decodeShareRecord(type, sealed);
    const share = holdCurrent(record, arithmetic);
    return share === undefined ? { record } : { record, share };
  } catch (error) {
    throw new BootError(
      'KEY_MISMATCH',
      `the store does not hold this key as one of type ${type}`,
      { key: id },
      error,
    );
  }
}

/**
 * Asserts that a key or share is the one that its entry pins. A key that is still being made has neither public key nor
 * group.
 *
 * @throws BootError KEY_MISMATCH
 */
function assertHeld(
  { id, publicKey, commitments }: Pick<KeyEntry, 'id' | 'publicKey' | 'commitments'>,
  { key, record }: Restored,
): void {
  const known = key?.publicKey ?? (record && publicKeyOf(record));
  if (known === undefined) return;
  const actual = { publicKey: Buffer.from(known).toString('hex'), commitments: record?.origin ?? undefined };
  for (const [field, expected] of Object.entries({ publicKey, commitments })) {
    if (expected !== undefined && actual[field as keyof typeof actual] !== expected) {
      throw new BootError('KEY_MISMATCH', 'the key is not the one that the configuration names', {
        key: id,
        field,
        expected,
        actual: actual[field as keyof typeof actual],
      });
    }
  }
}

function recordKey({ id, type }: Pick<KeyEntry, 'id' | 'type'>): RecordKey {
  return { table: isShareType(type) ? SHARES : KEYS, id };
}

const placeName = ({ table, id }: RecordKey) => `${table}/${id}`;
