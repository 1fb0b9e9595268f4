import { ed25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha384 } from '@noble/hashes/sha2.js';
import { Encoder } from 'cbor-x';
import { beforeEach, describe, expect, it } from 'vitest';
import { BootError } from '../../../enclave/node/errors.ts';
import { PASSWORD_SECRET } from '../../../shared/documents/encryption-context.ts';
import { type PasswordSource, unlockStore } from '../../../enclave/boot/unlock-store.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { StoreError } from '../../../enclave/store/errors.ts';
import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const NODE = { namespace: 'demo', environment: 'test', node: 1 } as Manifest;
const NOW = Date.parse('2026-01-01T00:00:00Z');
const ORDER = { id: 'first-start', notAfter: '2026-01-01T00:00:00Z', password: 'generated' } as const;
const BLOB = Uint8Array.of(1, 2, 3);
const encoder = new Encoder({ useRecords: false });

/** The parent's records and secrets. */
class Keeper extends MemoryRecordStorage {
  readonly secrets = new Map<string, Uint8Array>();
  secret(name: string) {
    return Promise.resolve(this.secrets.get(name) ?? null);
  }
}

let storage: Keeper;
/** What KMS makes of any ciphertext, and which ones it was asked for. */
let password: Uint8Array;
/** The buffer that it handed out last. */
let handedOut: Uint8Array;
let asked: Uint8Array[];

beforeEach(() => {
  storage = new Keeper();
  password = new Uint8Array(32).fill(7);
  asked = [];
});

function handOut(): Uint8Array {
  handedOut = password.slice();
  return handedOut;
}

const passwords: PasswordSource = {
  decrypt: (blob) => {
    asked.push(blob);
    return Promise.resolve(handOut());
  },
  generate: () => Promise.resolve({ blob: BLOB, plaintext: handOut() }),
};

async function unlock(initialise: Configuration['initialise'], now = NOW): Promise<SealedStore> {
  return (await unlockAll(initialise, now)).store;
}

function unlockAll(initialise: Configuration['initialise'], now = NOW) {
  const configuration = { initialise } as Configuration;
  return unlockStore({ storage, passwords, manifest: NODE, configuration, now });
}

async function codeOf(act: () => Promise<unknown>): Promise<string> {
  const error: unknown = await act().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BootError || error instanceof StoreError) return error.code;
  throw new TypeError('not refused with a code', { cause: error });
}
/** What the keyring writes first: the keys, and the configuration that is in force with them. */
const IN_FORCE = { boots: 1, configuration: { version: 1, digest: new Uint8Array(48).fill(1) } };
const isClear = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

describe('an empty store', () => {
  it('is started by a signed order alone: a parent that loses it cannot make the node forget', async () => {
    expect(await codeOf(() => unlock(undefined))).toBe('INITIALISATION_NOT_ORDERED');
    expect(storage.commits).toHaveLength(0);
  });

  it('is started until the order expires, that instant included', async () => {
    await expect(unlock(ORDER)).resolves.toBeInstanceOf(SealedStore);
    storage = new Keeper();
    expect(await codeOf(() => unlock(ORDER, NOW + 1))).toBe('INITIALISATION_EXPIRED');
  });

  it('is started with a password that was made inside, whose ciphertext is kept', async () => {
    const store = await unlock(ORDER);
    expect(storage.records.size).toBe(0);
    expect(store.state).toMatchObject({
      order: 'first-start',
      boots: 0,
      configuration: { version: 0, digest: new Uint8Array(48) },
    });
    await store.commit([], IN_FORCE);
    expect(storage.records.get('boot/encryptor-master-password')?.bytes).toEqual(BLOB);
  });

  it('is started with the password of an admin where the order says so', async () => {
    storage.secrets.set(PASSWORD_SECRET, BLOB);
    await (await unlock({ ...ORDER, password: 'supplied' })).commit([], IN_FORCE);
    expect(asked).toEqual([BLOB]);
    expect(storage.records.has('boot/encryptor-master-password')).toBe(false);
  });

  it('is not started with records that have lost their root', async () => {
    storage.records.set('keys/hot', { table: 'keys', id: 'hot', revision: 1, bytes: BLOB });
    expect(await codeOf(() => unlock(ORDER))).toBe('STORE_RECORD_MISSING');
  });

  it('is not started without the password that an admin was to bring', async () => {
    expect(await codeOf(() => unlock({ ...ORDER, password: 'supplied' }))).toBe('PASSWORD_MISSING');
  });

  it('says STORE_TAKEN when another enclave starts it at the same time', async () => {
    storage.onCommit = () => {
      storage.records.set('store/root', { table: 'store', id: 'root', revision: 1, bytes: BLOB });
    };
    const store = await unlock(ORDER);
    expect(await codeOf(() => store.commit([], IN_FORCE))).toBe('STORE_TAKEN');
  });
});

describe('the password', () => {
  it.each([31, 1025])('is refused with %i bytes', async (length) => {
    password = new Uint8Array(length).fill(7);
    expect(await codeOf(() => unlock(ORDER))).toBe('PASSWORD_LENGTH');
    expect(storage.commits).toHaveLength(0);
  });

  it.each([32, 1024])('is taken with %i bytes', async (length) => {
    password = new Uint8Array(length).fill(7);
    await expect(unlock(ORDER)).resolves.toBeInstanceOf(SealedStore);
  });

  it('is cleared, whether it was taken or not', async () => {
    await unlock(ORDER);
    expect(isClear(handedOut)).toBe(true);
    password = new Uint8Array(31).fill(7);
    storage = new Keeper();
    await codeOf(() => unlock(ORDER));
    expect(isClear(handedOut)).toBe(true);
  });
});

describe('the keys of a node', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

  it('come from the password as SPEC.md says, the same at each start', async () => {
    const expectedOf = (purpose: string) => {
      const info = Buffer.from(encoder.encode([purpose, 1, 'demo', 'test', 1]));
      return hex(ed25519.getPublicKey(hkdf(sha384, password, new Uint8Array(48), info, 32)));
    };
    const expected = [expectedOf('holdfast log key'), expectedOf('holdfast receipt key')];
    for (const order of [ORDER, undefined]) {
      const { store, nodeKeys } = await unlockAll(order);
      expect([nodeKeys.log, nodeKeys.receipt].map(({ publicKey }) => hex(publicKey))).toEqual(expected);
      if (order !== undefined) await store.commit([], IN_FORCE);
    }
  });

  it('are those of a store that was deleted and started anew by the same password', async () => {
    const first = await unlockAll(ORDER);
    storage = new Keeper();
    const second = await unlockAll({ ...ORDER, id: 'second-start' });
    expect(second.nodeKeys.log.publicKey).toEqual(first.nodeKeys.log.publicKey);
  });
});

describe('a store that was started before', () => {
  beforeEach(async () => {
    await (await unlock(ORDER)).commit([], IN_FORCE);
  });

  it('opens with the ciphertext that lies in it, by the same order or none', async () => {
    await expect(unlock(undefined)).resolves.toBeInstanceOf(SealedStore);
    await expect(unlock(ORDER, NOW + 1)).resolves.toBeInstanceOf(SealedStore);
    expect(asked).toEqual([BLOB, BLOB]);
  });

  it('is not started again by another order', async () => {
    expect(await codeOf(() => unlock({ ...ORDER, id: 'second-start' }))).toBe('INITIALISATION_REPEATED');
  });

  it('does not open with another password', async () => {
    password = new Uint8Array(32).fill(8);
    expect(await codeOf(() => unlock(undefined))).toBe('STORE_ROOT_UNREADABLE');
  });

  it('does not open without its ciphertext', async () => {
    storage.records.delete('boot/encryptor-master-password');
    expect(await codeOf(() => unlock(undefined))).toBe('PASSWORD_MISSING');
  });

  it('opens with the ciphertext of an admin where none lies in it', async () => {
    const key = deriveStoreKey(new Uint8Array(32).fill(9), NODE);
    storage = new Keeper();
    const none = { version: 0, digest: new Uint8Array(48) };
    const state = { order: 'first-start', configuration: none, boots: 0 };
    await SealedStore.create(storage, key, state, undefined).commit([], IN_FORCE);
    storage.secrets.set(PASSWORD_SECRET, BLOB);
    password = new Uint8Array(32).fill(9);
    await expect(unlock(undefined)).resolves.toBeInstanceOf(SealedStore);
    expect(asked).toEqual([BLOB]);
  });
});
