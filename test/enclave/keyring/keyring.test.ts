import { beforeEach, describe, expect, it } from 'vitest';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import { BootError } from '../../../enclave/node/errors.ts';
import { KeyringError } from '../../../enclave/keyring/errors.ts';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { createNobleCurves } from '../../../local/noble-curves.ts';
import { deriveStoreKey, SealedStore, StoreError } from '../../../enclave/store/index.ts';
import type { Configuration, DropEntry, KeyEntry } from '../../../shared/documents/configuration.ts';
import { digestShareGroup } from '../../../shared/frost/index.ts';
import { MAX_WRITES } from '../../../shared/protocol/control.ts';
import { ControlError } from '../../../shared/protocol/errors.ts';
import { startGroup } from '../frost/group.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const storeKey = deriveStoreKey(new Uint8Array(32).fill(7), {
  namespace: 'demo',
  environment: 'test',
  node: 1,
});
const ENTRIES: readonly KeyEntry[] = [
  { id: 'solana', type: 'ed25519' },
  { id: 'bitcoin', type: 'secp256k1' },
  { id: 'audit', type: 'p256' },
];
const SHARES: readonly KeyEntry[] = [{ id: 'shared', type: 'frost-ed25519' }];

let storage: MemoryRecordStorage;

beforeEach(() => {
  storage = new MemoryRecordStorage();
});

/** The store as a start finds it, or makes it. */
async function openStore(): Promise<SealedStore> {
  if (storage.records.size > 0) return await SealedStore.open(storage, storeKey);
  const none = { version: 0, digest: new Uint8Array(48) };
  return SealedStore.create(storage, storeKey, { order: 'first', configuration: none, boots: 0 }, undefined);
}

/** Opens the store as the next start would, with a configuration of that version. */
async function start(
  entries: readonly KeyEntry[],
  version = 1,
  drops: readonly DropEntry[] = [],
): Promise<Keyring> {
  const store = await openStore();
  const digest = new Uint8Array(48).fill(version);
  const admission = admitConfiguration(store.state, {
    configuration: { version } as Configuration,
    digest,
    signers: [],
  });
  return await Keyring.open(store, createNobleCurves(), entries, admission, drops);
}

async function codeOf(act: () => Promise<unknown>): Promise<string> {
  const error: unknown = await act().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BootError || error instanceof KeyringError || error instanceof StoreError)
    return error.code;
  throw new TypeError('not refused with a code', { cause: error });
}
const publicKeys = (keyring: Keyring, entries: readonly KeyEntry[]) =>
  entries.map(({ id }) => Buffer.from(keyring.publicKey(id) ?? []).toString('hex'));

describe('the keys of a node', () => {
  it('are made when a configuration names them for the first time, and are the same ever after', async () => {
    const made = publicKeys(await start(ENTRIES), ENTRIES);
    expect(new Set(made).size).toBe(ENTRIES.length);
    expect(publicKeys(await start(ENTRIES), ENTRIES)).toEqual(made);
    expect(publicKeys(await start(ENTRIES, 2), ENTRIES)).toEqual(made);
  });

  it('are sealed together with the version of the configuration that named them', async () => {
    await start(ENTRIES, 4);
    const { state } = await SealedStore.open(storage, storeKey);
    expect(state.configuration).toEqual({ version: 4, digest: new Uint8Array(48).fill(4) });
    expect(storage.commits).toHaveLength(1);
  });

  it('count the starts', async () => {
    await start(ENTRIES);
    await start(ENTRIES);
    expect((await SealedStore.open(storage, storeKey)).state.boots).toBe(2);
  });

  it('are added when a newer configuration names more', async () => {
    const [first] = publicKeys(await start(ENTRIES.slice(0, 1)), ENTRIES);
    const grown = publicKeys(await start(ENTRIES, 2), ENTRIES);
    expect(grown[0]).toBe(first);
    expect(grown.every((publicKey) => publicKey.length > 0)).toBe(true);
  });

  it('are not made anew under a configuration that was in force before', async () => {
    await start(ENTRIES.slice(0, 1));
    expect(await codeOf(() => start(ENTRIES))).toBe('KEY_MISSING');
  });

  it('are never made where the configuration says which one it must be', async () => {
    const entry: KeyEntry = { id: 'solana', type: 'ed25519', publicKey: 'ab'.repeat(32) };
    expect(await codeOf(() => start([entry]))).toBe('KEY_MISSING');
  });

  it('are those that the configuration names, or the node does not start', async () => {
    const [publicKey = ''] = publicKeys(await start(ENTRIES), ENTRIES);
    const named: KeyEntry = { id: 'solana', type: 'ed25519', publicKey };
    expect(publicKeys(await start([named], 2), [named])).toEqual([publicKey]);
    const other: KeyEntry = { id: 'solana', type: 'ed25519', publicKey: 'ab'.repeat(32) };
    expect(await codeOf(() => start([other], 3))).toBe('KEY_MISMATCH');
  });

  it('do not become keys of another curve', async () => {
    await start(ENTRIES);
    expect(await codeOf(() => start([{ id: 'bitcoin', type: 'p256' }], 2))).toBe('KEY_MISMATCH');
  });

  it('are gone once they are destroyed', async () => {
    const keyring = await start(ENTRIES);
    const held = keyring.key('solana');
    keyring.destroy();
    expect(keyring.key('solana')).toBeUndefined();
    expect(() => held?.serialise()).toThrow(expect.objectContaining({ code: 'KEY_DESTROYED' }));
  });
});

describe('as many keys as a configuration may name', () => {
  const many: KeyEntry[] = Array.from({ length: 1024 }, (_, index) => ({
    id: `key-${index}`,
    type: 'ed25519',
  }));

  it('are sealed in the commit that makes the store', async () => {
    await start(many);
    expect(storage.commits).toHaveLength(1);
    expect(storage.commits[0]?.filter(({ table }) => table === 'keys')).toHaveLength(many.length);
    expect((storage.commits[0]?.length ?? 0) + 1).toBeLessThanOrEqual(MAX_WRITES);
    expect((await SealedStore.open(storage, storeKey)).state.configuration.version).toBe(1);
  });

  it('are all made by the next start when that commit fails, or none is', async () => {
    storage.onCommit = () => {
      throw new ControlError('CONTROL_DISCONNECTED', 'as the test has it');
    };
    expect(await codeOf(() => start(many))).toBe('STORE_UNCERTAIN');
    expect(storage.records.size).toBe(0);
    storage.onCommit = () => undefined;
    const whole = publicKeys(await start(many), many);
    expect(publicKeys(await start(many), many)).toEqual(whole);
  });
});

describe('the shares of a node', () => {
  const share = () => {
    const held = startGroup('frost-ed25519').nodes[0]?.share;
    if (held === undefined) throw new RangeError('a group has nodes');
    return held;
  };

  it('await their import', async () => {
    const keyring = await start(SHARES);
    expect(keyring.publicKey('shared')).toBeUndefined();
    expect(keyring.shareEntry('shared')).toEqual(SHARES[0]);
    expect(await codeOf(async () => keyring.share('shared'))).toBe('SHARE_MISSING');
  });

  it('are sealed when they are taken, and are there at the next start', async () => {
    const taken = share();
    const keyring = await start(SHARES);
    await keyring.takeShare('shared', taken);
    expect(keyring.share('shared')).toBe(taken);
    const again = await start(SHARES);
    expect(again.share('shared').participant).toBe(taken.participant);
    expect(again.publicKey('shared')).toEqual(taken.publicKey);
  });

  it('are taken once', async () => {
    const [first, second] = [share(), share()];
    const keyring = await start(SHARES);
    await keyring.takeShare('shared', first);
    expect(await codeOf(() => keyring.takeShare('shared', second))).toBe('SHARE_EXISTS');
    expect(keyring.share('shared')).toBe(first);
    expect(() => second.serialise()).toThrow(expect.objectContaining({ code: 'SHARE_DESTROYED' }));
  });

  it('are not held when they could not be sealed', async () => {
    const refused = share();
    const keyring = await start(SHARES);
    storage.onCommit = () => {
      throw new ControlError('CONTROL_TIMEOUT', 'as the test has it');
    };
    expect(await codeOf(() => keyring.takeShare('shared', refused))).toBe('STORE_UNCERTAIN');
    expect(keyring.publicKey('shared')).toBeUndefined();
    expect(() => refused.serialise()).toThrow(expect.objectContaining({ code: 'SHARE_DESTROYED' }));
  });

  it('are refused when the store is full, and the node keeps what it holds', async () => {
    const refused = share();
    const keyring = await start([...SHARES, { id: 'other', type: 'ed25519' }]);
    storage.onCommit = () => {
      throw new ControlError('CONTROL_STORE_FULL', 'as the test has it');
    };
    expect(await codeOf(() => keyring.takeShare('shared', refused))).toBe('STORE_FULL');
    expect(() => refused.serialise()).toThrow(expect.objectContaining({ code: 'SHARE_DESTROYED' }));
    expect(keyring.key('other')).toBeDefined();
    expect(await codeOf(() => start([...SHARES, ...ENTRIES], 2))).toBe('STORE_FULL');
    storage.onCommit = () => undefined;
    await keyring.takeShare('shared', share());
    expect(keyring.share('shared')).toBeDefined();
  });

  it('do not become shares of another kind', async () => {
    await (await start(SHARES)).takeShare('shared', share());
    const other: KeyEntry = { id: 'shared', type: 'frost-secp256k1-taproot' };
    expect(await codeOf(() => start([other], 2))).toBe('KEY_MISMATCH');
  });
});

describe('records that the configuration no longer names', () => {
  const [SOLANA, BITCOIN] = ENTRIES;
  if (SOLANA === undefined || BITCOIN === undefined) throw new RangeError('two keys');

  /** Orders to drop what a keyring holds. */
  const dropOf = (keyring: Keyring, { id, type }: KeyEntry): DropEntry => ({
    id,
    type,
    publicKey: Buffer.from(keyring.publicKey(id) ?? []).toString('hex'),
  });

  it('stay, and are counted', async () => {
    const { usage } = await start(ENTRIES);
    expect(usage).toEqual({ records: 3, unnamed: 0, maximum: 24_576 });
    expect((await start([SOLANA], 2)).usage).toMatchObject({ records: 3, unnamed: 2 });
    expect((await start(ENTRIES, 3)).usage).toMatchObject({ records: 3, unnamed: 0 });
  });

  it('are dropped where a newer configuration orders it, in the commit that brings it into force', async () => {
    const drop = dropOf(await start(ENTRIES), BITCOIN);
    const keyring = await start([SOLANA], 2, [drop]);
    expect(keyring.usage).toMatchObject({ records: 2, unnamed: 1 });
    expect(storage.records.has('keys/bitcoin')).toBe(false);
    expect(storage.commits.at(-1)).toEqual([
      expect.objectContaining({ id: 'bitcoin', bytes: null }),
      expect.objectContaining({ id: 'root' }),
    ]);
    expect((await SealedStore.open(storage, storeKey)).state.configuration.version).toBe(2);
    // Each start reads the same order again.
    expect((await start([SOLANA], 2, [drop])).usage.records).toBe(2);
    expect((await start([SOLANA], 3, [drop])).usage.records).toBe(2);
  });

  it('are not dropped by a configuration that was in force before without that order', async () => {
    const drop = dropOf(await start([BITCOIN]), BITCOIN);
    await start([], 2);
    expect((await start([], 2, [drop])).usage.records).toBe(1);
  });

  it('are never another key than the one that was meant: the node does not start, and keeps it', async () => {
    const drop = dropOf(await start(ENTRIES), BITCOIN);
    expect(await codeOf(() => start([SOLANA], 2, [{ ...drop, publicKey: 'ab'.repeat(33) }]))).toBe(
      'KEY_MISMATCH',
    );
    expect(await codeOf(() => start([SOLANA], 2, [{ ...drop, type: 'p256' }]))).toBe('KEY_MISMATCH');
    expect(storage.records.has('keys/bitcoin')).toBe(true);
    // The order for the first key of that name does not meet the second.
    await start([SOLANA], 2, [drop]);
    await start([SOLANA, BITCOIN], 3);
    expect(await codeOf(() => start([SOLANA], 4, [drop]))).toBe('KEY_MISMATCH');
    expect(storage.records.has('keys/bitcoin')).toBe(true);
  });

  it('are shares as well as keys, of one name or two', async () => {
    const keyring = await start([...SHARES, { id: 'other', type: 'ed25519' }]);
    const held = startGroup('frost-ed25519').nodes[0]?.share;
    if (held === undefined) throw new RangeError('a group has nodes');
    await keyring.takeShare('shared', held);
    const publicKey = Buffer.from(held.publicKey).toString('hex');
    await start([{ id: 'shared', type: 'ed25519' }], 2);
    expect([...storage.records.keys()].toSorted()).toEqual([
      'keys/other',
      'keys/shared',
      'shares/shared',
      'store/root',
    ]);
    const drop: DropEntry = { id: 'shared', type: 'frost-ed25519', publicKey };
    const after = await start([{ id: 'shared', type: 'ed25519' }], 3, [drop]);
    expect(after.usage).toMatchObject({ records: 2, unnamed: 1 });
    expect(storage.records.has('shares/shared')).toBe(false);
    expect(after.key('shared')).toBeDefined();
  });

  it('come back with no start when dropping them fails', async () => {
    const drop = dropOf(await start(ENTRIES), BITCOIN);
    storage.onCommit = () => {
      throw new ControlError('CONTROL_TIMEOUT', 'as the test has it');
    };
    expect(await codeOf(() => start([SOLANA], 2, [drop]))).toBe('STORE_UNCERTAIN');
    storage.onCommit = () => undefined;
    expect((await start([SOLANA], 2, [drop])).usage.records).toBe(2);
  });
});

describe('a share whose commitments the configuration pins', () => {
  it('is there at the next start, and another is not taken for it', async () => {
    const { group, nodes } = startGroup('frost-ed25519');
    const held = nodes[0]?.share;
    if (held === undefined) throw new RangeError('a group has nodes');
    await (await start(SHARES)).takeShare('shared', held);
    const pinned: KeyEntry = { id: 'shared', type: 'frost-ed25519', commitments: digestShareGroup(group) };
    expect((await start([pinned], 2)).share('shared').participant).toBe(1);
    const other = digestShareGroup(startGroup('frost-ed25519').group);
    expect(await codeOf(() => start([{ ...pinned, commitments: other }], 3))).toBe('KEY_MISMATCH');
  });
});
