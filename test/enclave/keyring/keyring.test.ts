import { beforeEach, describe, expect, it } from 'vitest';
import { admitConfiguration } from '../../../enclave/boot/configuration.ts';
import { BootError } from '../../../enclave/boot/errors.ts';
import { KeyringError } from '../../../enclave/keyring/errors.ts';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { createNobleCurves } from '../../../local/noble-curves.ts';
import { deriveStoreKey, SealedStore, StoreError } from '../../../enclave/store/index.ts';
import type { Configuration, KeyEntry } from '../../../shared/node/configuration.ts';
import { MAX_WRITES } from '../../../shared/protocol/control.ts';
import { ControlError } from '../../../shared/protocol/errors.ts';
import { startGroup } from '../frost/group.ts';
import { MemoryKeeper } from '../store/memory-keeper.ts';

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

let keeper: MemoryKeeper;

beforeEach(() => {
  keeper = new MemoryKeeper();
});

/** The store as a start finds it, or makes it. */
async function openStore(): Promise<SealedStore> {
  if (keeper.records.size > 0) return await SealedStore.open(keeper, storeKey);
  const none = { version: 0, digest: new Uint8Array(48) };
  return SealedStore.create(keeper, storeKey, { order: 'first', configuration: none, boots: 0 }, undefined);
}

/** Opens the store as the next start would, with a configuration of that version. */
async function start(entries: readonly KeyEntry[], version = 1): Promise<Keyring> {
  const store = await openStore();
  const digest = new Uint8Array(48).fill(version);
  const admission = admitConfiguration(store, {
    configuration: { version } as Configuration,
    digest,
    signers: [],
  });
  return await Keyring.open(store, createNobleCurves(), entries, admission);
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
    const { state } = await SealedStore.open(keeper, storeKey);
    expect(state.configuration).toEqual({ version: 4, digest: new Uint8Array(48).fill(4) });
    expect(keeper.commits).toHaveLength(1);
  });

  it('count the starts', async () => {
    await start(ENTRIES);
    await start(ENTRIES);
    expect((await SealedStore.open(keeper, storeKey)).state.boots).toBe(2);
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
    expect(keeper.commits.map(({ length }) => length)).toEqual([many.length + 1]);
    expect(many.length + 2).toBeLessThanOrEqual(MAX_WRITES);
    expect((await SealedStore.open(keeper, storeKey)).state.configuration.version).toBe(1);
  });

  it('are all made by the next start when that commit fails, or none is', async () => {
    keeper.onCommit = () => {
      throw new ControlError('CONTROL_DISCONNECTED', 'as the test has it');
    };
    expect(await codeOf(() => start(many))).toBe('STORE_UNCERTAIN');
    expect(keeper.records.size).toBe(0);
    keeper.onCommit = () => undefined;
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
    keeper.onCommit = () => {
      throw new ControlError('CONTROL_TIMEOUT', 'as the test has it');
    };
    expect(await codeOf(() => keyring.takeShare('shared', refused))).toBe('STORE_UNCERTAIN');
    expect(keyring.publicKey('shared')).toBeUndefined();
    expect(() => refused.serialise()).toThrow(expect.objectContaining({ code: 'SHARE_DESTROYED' }));
  });

  it('do not become shares of another kind', async () => {
    await (await start(SHARES)).takeShare('shared', share());
    const other: KeyEntry = { id: 'shared', type: 'frost-secp256k1-taproot' };
    expect(await codeOf(() => start([other], 2))).toBe('KEY_MISMATCH');
  });
});
