import type { Configuration } from '../../shared/documents/configuration.ts';
import { PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import type { NodeManifest } from '../../shared/documents/manifest.ts';
import {
  deriveStoreKey,
  PASSWORD_BLOB,
  type RecordStorage,
  ROOT,
  SealedStore,
  StoreError,
} from '../store/index.ts';
import { BootError } from '../node/errors.ts';
import { deriveNodeKeys, type NodeKeys } from '../node/node-keys.ts';

const NO_CONFIGURATION = Object.freeze({ version: 0, digest: new Uint8Array(48) });
const MIN_PASSWORD_BYTES = 32;
const MAX_PASSWORD_BYTES = 1024;

/** An open store, and the keys that come from the same password. */
export interface UnlockedStore {
  readonly store: SealedStore;
  readonly nodeKeys: NodeKeys;
}

/** Makes and decrypts the Encryptor Master Password. Callers of both clear what they get. */
export interface PasswordSource {
  /** Makes a password: its ciphertext, which the store keeps, and its bytes. */
  generate(): Promise<{ readonly blob: Uint8Array; readonly plaintext: Uint8Array }>;
  decrypt(blob: Uint8Array): Promise<Uint8Array>;
}

export interface UnlockInput {
  readonly storage: RecordStorage & { secret(name: string): Promise<Uint8Array | null> };
  readonly passwords: PasswordSource;
  readonly manifest: NodeManifest;
  readonly configuration: Pick<Configuration, 'initialise'>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Gets the Encryptor Master Password, in an enclave by an attested request, opens the sealed store with it and derives the node's keys. An empty store is
 * started only when the signed configuration orders it: without that rule a parent that loses the store, or pretends
 * to, could make the node start anew.
 *
 * @throws BootError INITIALISATION_…, PASSWORD_MISSING; UnlockError; StoreError
 */
export async function unlockStore(input: UnlockInput): Promise<UnlockedStore> {
  const isNew = (await input.storage.readRecord(ROOT)) === null;
  return isNew ? await initialise(input) : await reopen(input);
}

async function initialise({ storage, passwords, now, ...input }: UnlockInput): Promise<UnlockedStore> {
  const { configuration, manifest } = input;
  const order = configuration.initialise;
  if (order === undefined) {
    throw new BootError(
      'INITIALISATION_NOT_ORDERED',
      'the store is empty, and the configuration has no order to start one',
    );
  }
  if (!(now <= Date.parse(order.notAfter))) {
    throw new BootError('INITIALISATION_EXPIRED', 'the order to start a store has expired', {
      order: order.id,
      notAfter: order.notAfter,
    });
  }
  const [leftover] = await storage.listRecords();
  if (leftover !== undefined) {
    throw new StoreError('STORE_RECORD_MISSING', 'the store has records and no root record', { ...leftover });
  }
  const { blob, plaintext } =
    order.password === 'generated'
      ? await passwords.generate()
      : { blob: undefined, plaintext: await passwords.decrypt(await suppliedBlob(storage)) };
  const { storeKey, nodeKeys } = takeKeys(plaintext, manifest);
  // Nothing is written yet: the first commit seals the keys together with the configuration that names them.
  const state = { order: order.id, configuration: NO_CONFIGURATION, boots: 0 };
  return { store: SealedStore.create(storage, storeKey, state, blob), nodeKeys };
}

async function reopen({ storage, passwords, manifest, configuration }: UnlockInput): Promise<UnlockedStore> {
  const generated = await storage.readRecord(PASSWORD_BLOB);
  const blob = generated?.bytes ?? (await suppliedBlob(storage));
  const { storeKey, nodeKeys } = takeKeys(await passwords.decrypt(blob), manifest);
  const store = await SealedStore.open(storage, storeKey);
  const order = configuration.initialise;
  if (order !== undefined && order.id !== store.state.order) {
    throw new BootError(
      'INITIALISATION_REPEATED',
      'the store was started by another order than the configuration names',
      {
        expected: store.state.order,
        actual: order.id,
      },
    );
  }
  return { store, nodeKeys };
}

async function suppliedBlob(storage: UnlockInput['storage']): Promise<Uint8Array> {
  const blob = await storage.secret(PASSWORD_SECRET);
  if (blob === null) throw new BootError('PASSWORD_MISSING', 'the parent has no ciphertext of the password');
  return blob;
}

/** Derives the keys of the store and of the node, and clears the password. */
function takeKeys(password: Uint8Array, manifest: NodeManifest) {
  try {
    if (password.length < MIN_PASSWORD_BYTES || password.length > MAX_PASSWORD_BYTES) {
      throw new BootError('PASSWORD_LENGTH', 'the length of the password is out of bounds', {
        minimum: MIN_PASSWORD_BYTES,
        maximum: MAX_PASSWORD_BYTES,
      });
    }
    return { storeKey: deriveStoreKey(password, manifest), nodeKeys: deriveNodeKeys(password, manifest) };
  } finally {
    password.fill(0);
  }
}
