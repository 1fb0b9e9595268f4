import type { KeyEntry } from '../../shared/node/configuration.ts';
import { MAX_WRITES } from '../../shared/protocol/control.ts';
import { BootError } from '../boot/errors.ts';
import type { Admission } from '../boot/configuration.ts';
import { generateKey, type HeldKey, isSoleKeyType, restoreKey } from '../keys/index.ts';
import type { RecordChange, SealedStore } from '../store/index.ts';

const TABLE = 'keys';
/** The root record goes with each commit. */
const MAX_CHANGES = MAX_WRITES - 1;

/** The keys that a node holds, by their id in the configuration. */
export interface Keyring {
  find(id: string): HeldKey | undefined;
  /** The public key that verifies what a key or share signs; undefined while a share awaits its import. */
  publicKey(id: string): Uint8Array | undefined;
  /** Clears all of them. */
  destroy(): void;
}

/**
 * Brings the keys that the configuration names into memory, makes those that it names for the first time, and seals
 * them together with the configuration's version. A key that should be there is never made anew: a parent that loses
 * a record would change the wallet's addresses.
 *
 * @throws BootError KEY_MISSING, KEY_MISMATCH; StoreError
 */
export async function openKeyring(
  store: SealedStore,
  entries: readonly KeyEntry[],
  { isNewer, state }: Admission,
): Promise<Keyring> {
  const held = new Map<string, HeldKey>();
  const destroy = () => {
    for (const key of held.values()) key.destroy();
    held.clear();
  };
  try {
    const made: string[] = [];
    for (const entry of entries) {
      if (!isSoleKeyType(entry.type)) continue;
      const sealed = await store.read({ table: TABLE, id: entry.id });
      if (sealed === null) made.push(entry.id);
      held.set(entry.id, sealed === null ? makeKey(entry, isNewer) : restore(entry, sealed));
      assertPublicKey(entry, held.get(entry.id));
    }
    await sealKeys(store, held, made, state);
    return { find: (id) => held.get(id), publicKey: (id) => held.get(id)?.publicKey, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}

function makeKey({ id, type, publicKey }: KeyEntry, isNewer: boolean): HeldKey {
  if (!isSoleKeyType(type) || publicKey !== undefined || !isNewer) {
    throw new BootError('KEY_MISSING', 'the store does not hold a key that it should', { key: id });
  }
  return generateKey(type);
}

function restore({ id, type }: KeyEntry, sealed: Uint8Array): HeldKey {
  try {
    if (!isSoleKeyType(type)) throw new TypeError('a share is not a key');
    return restoreKey(type, sealed);
  } catch (error) {
    throw new BootError('KEY_MISMATCH', 'the store holds this key as another', { key: id }, error);
  } finally {
    sealed.fill(0);
  }
}

function assertPublicKey({ id, publicKey }: KeyEntry, key: HeldKey | undefined): void {
  if (publicKey === undefined || key === undefined) return;
  const actual = Buffer.from(key.publicKey).toString('hex');
  if (actual !== publicKey) {
    throw new BootError('KEY_MISMATCH', 'the key is not the one that the configuration names', {
      key: id,
      expected: publicKey,
      actual,
    });
  }
}

/** The configuration's version goes with the last part: a crash before it lets the next start make what is missing. */
async function sealKeys(
  store: SealedStore,
  held: ReadonlyMap<string, HeldKey>,
  made: readonly string[],
  state: Admission['state'],
): Promise<void> {
  const changes: RecordChange[] = [];
  try {
    for (const id of made) {
      const plaintext = held.get(id)?.serialise() ?? null;
      changes.push({ table: TABLE, id, plaintext });
    }
    for (let start = 0; start === 0 || start < changes.length; start += MAX_CHANGES) {
      const isLast = start + MAX_CHANGES >= changes.length;
      await store.commit(changes.slice(start, start + MAX_CHANGES), isLast ? state : {});
    }
  } finally {
    for (const { plaintext } of changes) plaintext?.fill(0);
  }
}
