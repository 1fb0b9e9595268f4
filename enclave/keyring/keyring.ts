import { isShareType, type ShareType } from '../../shared/algorithms.ts';
import type { DropEntry, KeyEntry } from '../../shared/documents/configuration.ts';
import type { StoreUsage } from '../../shared/api/bodies.ts';
import type { RecordKey } from '../../shared/protocol/control.ts';
import { BootError } from '../node/errors.ts';
import type { AdmittedConfiguration } from '../node/configuration.ts';
import { type HeldShare, restoreShare } from '../frost/index.ts';
import { type Curves, generateKey, type HeldKey, isSoleKeyType, restoreKey } from '../keys/index.ts';
import { digestShareGroup } from '../../shared/frost/index.ts';
import { MAX_SEALED_RECORDS, type RecordChange, type SealedStore } from '../store/index.ts';
import type { BootLeaf } from '../log/index.ts';
import { KeyringError } from './errors.ts';

const KEYS = 'keys';
const SHARES = 'shares';

/** The keys and shares that a node holds, by their id in the configuration. */
export class Keyring {
  readonly #store: SealedStore;
  readonly #curves: Curves;
  readonly #entries: ReadonlyMap<string, KeyEntry>;
  readonly #keys = new Map<string, HeldKey>();
  readonly #shares = new Map<string, HeldShare>();
  /** Ids of shares that are being sealed: of two imports of one share at the same time, one is refused. */
  readonly #arriving = new Set<string>();

  /** Number of records that the configuration does not name; constant, since only records that it names are added. */
  #unnamed = 0;

  private constructor(store: SealedStore, curves: Curves, entries: readonly KeyEntry[]) {
    this.#store = store;
    this.#curves = curves;
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
  ): Promise<Keyring> {
    const keyring = new Keyring(store, curves, entries);
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

  /** Returns a key that signs alone; undefined for shares. */
  key(id: string): HeldKey | undefined {
    return this.#keys.get(id);
  }

  /** Returns the configuration's entry of a share; undefined for other keys. */
  shareEntry(id: string): (KeyEntry & { readonly type: ShareType }) | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && hasShareType(entry) ? entry : undefined;
  }

  /** Returns a share. @throws KeyringError SHARE_MISSING */
  share(id: string): HeldShare {
    const share = this.#shares.get(id);
    if (share === undefined)
      throw new KeyringError('SHARE_MISSING', 'this share was not imported yet', { key: id });
    return share;
  }

  /** Asserts that a share was not imported yet. @throws KeyringError SHARE_EXISTS */
  assertNoShare(id: string): void {
    if (this.#shares.has(id) || this.#arriving.has(id))
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
      await this.#store.commit([{ table: SHARES, id, plaintext }]);
      this.#shares.set(id, share);
    } catch (error) {
      share.destroy();
      throw error;
    } finally {
      this.#arriving.delete(id);
      plaintext?.fill(0);
    }
  }

  /** Returns the public key that verifies what a key or share signs; undefined while a share awaits its import. */
  publicKey(id: string): Uint8Array | undefined {
    return (this.#keys.get(id) ?? this.#shares.get(id))?.publicKey;
  }

  /** Number of records in the store, and of those that the configuration does not name. */
  get usage(): StoreUsage {
    return { records: this.#store.size, unnamed: this.#unnamed, maximum: MAX_SEALED_RECORDS };
  }

  /** Clears all keys and shares. */
  destroy(): void {
    for (const held of [...this.#keys.values(), ...this.#shares.values()]) held.destroy();
    this.#keys.clear();
    this.#shares.clear();
  }

  #countUnnamed(): number {
    const named = new Set([...this.#entries.values()].map((entry) => placeName(recordKey(entry))));
    let unnamed = 0;
    for (const place of this.#store.list()) if (!named.has(placeName(place))) unnamed += 1;
    return unnamed;
  }

  /** Loads the key or share of an entry from the store; false where a key has to be made first. */
  async #load(entry: KeyEntry): Promise<boolean> {
    const { id, type } = entry;
    const sealed = await this.#store.read(recordKey(entry));
    if (sealed === null) return isShareType(type);
    try {
      const held = restore(this.#curves, entry, sealed);
      if ('group' in held) this.#shares.set(id, held);
      else this.#keys.set(id, held);
    } finally {
      sealed.fill(0);
    }
    assertHeld(entry, this.#keys.get(id) ?? this.#shares.get(id));
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
      let held: HeldKey | HeldShare | undefined;
      try {
        held = restore(this.#curves, drop, sealed);
        assertHeld(drop, held);
      } finally {
        sealed.fill(0);
        held?.destroy();
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

/** Restores a key or share from its plaintext, which the caller clears. @throws BootError KEY_MISMATCH */
function restore(
  curves: Curves,
  { id, type }: Pick<KeyEntry, 'id' | 'type'>,
  sealed: Uint8Array,
): HeldKey | HeldShare {
  try {
    return isShareType(type) ? restoreShare(type, sealed) : restoreKey(curves, type, sealed);
  } catch (error) {
    throw new BootError(
      'KEY_MISMATCH',
      `the store does not hold this key as one of type ${type}`,
      { key: id },
      error,
    );
  }
}

/** Asserts that a key or share is the one that its entry pins. @throws BootError KEY_MISMATCH */
function assertHeld(
  { id, publicKey, commitments }: Pick<KeyEntry, 'id' | 'publicKey' | 'commitments'>,
  held: HeldKey | HeldShare | undefined,
): void {
  if (held === undefined) return;
  const actual = {
    publicKey: Buffer.from(held.publicKey).toString('hex'),
    commitments: 'group' in held ? digestShareGroup(held.group) : undefined,
  };
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
