import { describe, expect, it } from 'vitest';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { TransparencyLog } from '../../../enclave/log/index.ts';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  restoreDecisionState,
} from '../../../enclave/signing/index.ts';
import { SealedStore } from '../../../enclave/store/index.ts';
import { deriveStoreKey } from '../../../enclave/store/record-cipher.ts';
import { openLocalCurves } from '../../../local/noble-curves.ts';
import { readConfiguration } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { errorCode } from '../../../shared/errors.ts';
import { makeKey, ORIGIN } from '../log/fixtures.ts';
import { header } from '../../policy/transactions/tezos/consensus-samples.ts';
import { condition, makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const NOON = Date.UTC(2026, 11, 2, 12);
const PLACE = { namespace: 'demo', environment: 'test', node: 1 };
const KEY = deriveStoreKey(new Uint8Array(32), PLACE);
const MANIFEST = { ...PLACE, quorum: { size: 1, threshold: 1 } } as Manifest;
const TEZOS = 'tezos:NetXdQprcVkpaWU';

const configuration = readConfiguration(
  makeConfiguration2({
    keys: [{ id: 'baker', type: 'p256', networks: [TEZOS] }],
    rules: [
      permit({
        id: 'baking',
        keys: ['baker'],
        algorithms: ['ecdsa-p256-sha256'],
        payloads: ['tezos-consensus'],
        networks: [TEZOS],
        effects: [condition({ type: 'consensus' })],
      }),
    ],
  }),
);

/** Starts a node's decisions on a store, from its first commit on or as an earlier boot has left it. */
async function boot(storage: MemoryRecordStorage) {
  const signed = { configuration, digest: new Uint8Array(48), signers: [] };
  const measured = { manifest: MANIFEST, digest: new Uint8Array(48) };
  const sealed = { order: 'first', configuration: { version: 0, digest: new Uint8Array(48) }, boots: 0 };
  const isNew = storage.records.size === 0;
  const store = isNew
    ? SealedStore.create(storage, KEY, sealed, undefined)
    : await SealedStore.open(storage, KEY);
  const admitted = admitConfiguration(store.state, signed);
  const keyring = await Keyring.open(store, openLocalCurves(), configuration.keys, admitted);
  const common = { signed, measured, session: '00'.repeat(16), now: () => NOON };
  const state = await restoreDecisionState(store, common);
  const log = new TransparencyLog({
    store,
    origin: ORIGIN,
    key: makeKey(),
    client: { publish: () => Promise.resolve({ lines: [], refusals: [] }) },
    witnesses: null,
  });
  for (const source of state.sources) log.addSource(source);
  const pipeline = createSigningPipeline({
    ...common,
    keyring,
    clocks: { now: common.now, monotonic: () => 0 },
    log: createDecisionLog({ ...common, log, receiptKey: makeKey() }),
    state,
  });
  return (block: Parameters<typeof header>[0]) =>
    pipeline
      .sign('backend', {
        key: 'baker',
        algorithm: 'ecdsa-p256-sha256',
        payload: { kind: 'tezos-consensus', operation: header(block) },
      })
      .then(({ outcome }) => outcome, errorCode);
}

describe('a watermark', () => {
  it('lets one block of a level and round be signed, and the same one again', async () => {
    const sign = await boot(new MemoryRecordStorage());
    expect(await sign({ level: 7 })).toBe('permitted');
    expect(await sign({ level: 7 })).toBe('permitted');
    expect(await sign({ level: 7, timestamp: 1 })).toBe('WATERMARK_CONFLICT');
    expect(await sign({ level: 6 })).toBe('WATERMARK_TOO_LOW');
  });

  it('is in the store before the signature leaves, and outlives the node', async () => {
    const storage = new MemoryRecordStorage();
    const sign = await boot(storage);
    expect(await sign({ level: 7 })).toBe('permitted');
    const again = await boot(storage);
    expect(await again({ level: 7, timestamp: 1 })).toBe('WATERMARK_CONFLICT');
    expect(await again({ level: 8 })).toBe('permitted');
  });

  it('lets no signature go when it cannot be written', async () => {
    const storage = new MemoryRecordStorage();
    const sign = await boot(storage);
    storage.onCommit = () => {
      throw new Error('the parent is gone');
    };
    expect(await sign({ level: 7 })).toBe('STORE_UNCERTAIN');
  });

  it('lets two of sixteen blocks that come at once be signed where two are the same', async () => {
    const sign = await boot(new MemoryRecordStorage());
    const blocks = Array.from({ length: 16 }, (_, index) => ({
      level: 9,
      timestamp: index === 5 ? 0 : index,
    }));
    const outcomes = await Promise.all(blocks.map((block) => sign(block)));
    expect(outcomes.filter((outcome) => outcome === 'permitted')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'WATERMARK_CONFLICT')).toHaveLength(14);
  });
});
