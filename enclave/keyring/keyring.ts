import { isShareType, type KeyType, type ShareType } from '../../shared/node/algorithms.ts';
import type { KeyEntry } from '../../shared/node/configuration.ts';
import { BootError } from '../boot/errors.ts';
import type { Admission } from '../boot/configuration.ts';
import { type HeldShare, restoreShare } from '../frost/index.ts';
import { type Curves, generateKey, type HeldKey, isSoleKeyType, restoreKey } from '../keys/index.ts';
import type { RecordChange, SealedStore } from '../store/index.ts';
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
  /** Those that are being sealed: of two that come at once, one is taken. */
  readonly #arriving = new Set<string>();

  private constructor(store: SealedStore, curves: Curves, entries: readonly KeyEntry[]) {
    this.#store = store;
    this.#curves = curves;
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
  }

  /**
   * Brings what the configuration names into memory, makes the keys that it names for the first time, and seals them
   * together with the configuration's version. A key that should be there is never made anew: a parent that loses a
   * record would change the wallet's addresses. Shares that are not there yet await their import.
   *
   * @throws BootError KEY_MISSING, KEY_MISMATCH; StoreError
   */
  static async open(
    store: SealedStore,
    curves: Curves,
    entries: readonly KeyEntry[],
    admission: Admission,
  ): Promise<Keyring> {
    const keyring = new Keyring(store, curves, entries);
    try {
      const made: string[] = [];
      for (const entry of entries) {
        if (await keyring.#load(entry)) continue;
        keyring.#keys.set(entry.id, makeKey(curves, entry, admission.isNewer));
        made.push(entry.id);
      }
      await keyring.#sealKeys(made, admission.state);
      return keyring;
    } catch (error) {
      keyring.destroy();
      throw error;
    }
  }

  /** A key that signs alone; undefined for shares. */
  key(id: string): HeldKey | undefined {
    return this.#keys.get(id);
  }

  /** What the configuration says of a share; undefined for other keys. */
  shareEntry(id: string): (KeyEntry & { readonly type: ShareType }) | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && hasShareType(entry) ? entry : undefined;
  }

  /** @throws KeyringError SHARE_MISSING */
  share(id: string): HeldShare {
    const share = this.#shares.get(id);
    if (share === undefined)
      throw new KeyringError('SHARE_MISSING', 'no such share was imported', { key: id });
    return share;
  }

  /** @throws KeyringError SHARE_EXISTS */
  assertNoShare(id: string): void {
    if (this.#shares.has(id) || this.#arriving.has(id))
      throw new KeyringError('SHARE_EXISTS', 'the share was imported before', { key: id });
  }

  /**
   * Seals a share and then holds it: what signs has survived a crash. A share that is not taken is destroyed.
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

  /** The public key that verifies what a key or share signs; undefined while a share awaits its import. */
  publicKey(id: string): Uint8Array | undefined {
    return (this.#keys.get(id) ?? this.#shares.get(id))?.publicKey;
  }

  /** Clears all of them. */
  destroy(): void {
    for (const held of [...this.#keys.values(), ...this.#shares.values()]) held.destroy();
    this.#keys.clear();
    this.#shares.clear();
  }

  /** Whether it needs to be made no more. */
  async #load(entry: KeyEntry): Promise<boolean> {
    const { id, type } = entry;
    const sealed = await this.#store.read({ table: isShareType(type) ? SHARES : KEYS, id });
    if (sealed === null) return isShareType(type);
    try {
      this.#hold(id, type, sealed);
    } catch (error) {
      throw new BootError('KEY_MISMATCH', 'the store holds this key as another', { key: id }, error);
    } finally {
      sealed.fill(0);
    }
    assertPublicKey(entry, this.publicKey(id));
    return true;
  }

  #hold(id: string, type: KeyType, sealed: Uint8Array): void {
    if (isShareType(type)) this.#shares.set(id, restoreShare(type, sealed));
    else if (isSoleKeyType(type)) this.#keys.set(id, restoreKey(this.#curves, type, sealed));
  }

  /** All in one commit with the configuration's version: there is no store in which it was in force without them. */
  async #sealKeys(made: readonly string[], state: Admission['state']): Promise<void> {
    const changes: RecordChange[] = [];
    try {
      for (const id of made) {
        changes.push({ table: KEYS, id, plaintext: this.#keys.get(id)?.serialise() ?? null });
      }
      await this.#store.commit(changes, state);
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
    throw new BootError('KEY_MISSING', 'the store does not hold a key that it should', { key: id });
  }
  return generateKey(curves, type);
}

function assertPublicKey({ id, publicKey }: KeyEntry, held: Uint8Array | undefined): void {
  const actual = Buffer.from(held ?? []).toString('hex');
  if (publicKey !== undefined && actual !== publicKey) {
    throw new BootError('KEY_MISMATCH', 'the key is not the one that the configuration names', {
      key: id,
      expected: publicKey,
      actual,
    });
  }
}
