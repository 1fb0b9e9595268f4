import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import { createSigningPipeline, type DecisionRecord, PolicyError } from '../../../enclave/signing/index.ts';
import { SigningError } from '../../../enclave/signing/errors.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { openLocalCurves } from '../../../local/noble-curves.ts';
import { HoldfastError } from '../../../shared/errors.ts';
import { readConfiguration } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const MESSAGE = { kind: 'message', message: Buffer.from('a transfer').toString('hex') } as const;
const REQUEST = { key: 'hot', algorithm: 'ed25519', payload: MESSAGE } as const;
const YEAR_2030 = Date.UTC(2030, 0);

async function start(record?: (entry: DecisionRecord) => Promise<void> | void, rate: object | null = null) {
  const configuration = readConfiguration({
    format: 'holdfast-configuration/1',
    version: 3,
    manifest: '00'.repeat(48),
    notAfter: '2031-01-01T00:00:00Z',
    clients: [
      { id: 'backend', publicKey: '01'.repeat(32) },
      { id: 'auditor', publicKey: '02'.repeat(32) },
    ],
    keys: [
      { id: 'hot', type: 'ed25519' },
      { id: 'shared', type: 'frost-ed25519' },
    ],
    rules: [
      {
        id: 'payouts',
        operations: ['sign'],
        clients: ['backend'],
        keys: ['hot', 'shared'],
        algorithms: ['ed25519', 'frost-ed25519'],
        payloads: ['message'],
        rate,
      },
    ],
  });
  const signed = { configuration, digest: new Uint8Array(48), signers: [] };
  const key = deriveStoreKey(new Uint8Array(32), { namespace: 'demo', environment: 'test', node: 1 });
  const none = { version: 0, digest: new Uint8Array(48) };
  const state = { order: 'first', configuration: none, boots: 0 };
  const store = SealedStore.create(new MemoryRecordStorage(), key, state, undefined);
  const admission = admitConfiguration(store.state, signed);
  const keyring = await Keyring.open(store, openLocalCurves(), configuration.keys, admission);
  const time = { now: YEAR_2030 };
  const clocks = { now: () => time.now, monotonic: () => 0 };
  const manifest = { node: 1, quorum: { size: 3, threshold: 2 } } as Manifest;
  const pipeline = createSigningPipeline({
    signed,
    measured: { manifest, digest: new Uint8Array(48) },
    keyring,
    clocks,
    session: '00'.repeat(16),
    ...(record === undefined ? {} : { record }),
  });
  return { pipeline, keyring, time };
}

async function refusalOf(act: Promise<unknown>): Promise<HoldfastError> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof HoldfastError) return error;
  throw new TypeError('not refused with a code', { cause: error });
}

describe('the signing pipeline', () => {
  it('signs what a rule permits, and names the rule and the configuration', async () => {
    const { pipeline } = await start();
    const { result: signatures, rule, configuration } = await pipeline.sign('backend', REQUEST);
    const [result] = signatures;
    if (result === undefined || signatures.length > 1) throw new RangeError('expected one signature');
    const key = createPublicKey({
      key: Buffer.from(result.publicKey),
      format: 'raw-public',
      asymmetricKeyType: 'ed25519',
    });
    expect(verify(null, Buffer.from('a transfer'), key, result.signature)).toBe(true);
    expect({ rule, configuration }).toEqual({ rule: 'payouts', configuration: 3 });
  });

  it('uses no key for what no rule permits, and says which field of which rule did not match', async () => {
    const { pipeline, keyring } = await start();
    const use = vi.spyOn(keyring, 'key');
    const refusal = await refusalOf(pipeline.sign('auditor', REQUEST));
    expect(refusal).toBeInstanceOf(PolicyError);
    expect(refusal).toMatchObject({ code: 'POLICY_DENIED', decision: { reasons: [] } });
    const wrong = { ...REQUEST, key: 'shared', algorithm: 'frost-ed25519' } as const;
    const digest = { kind: 'digest', digest: '00'.repeat(32) } as const;
    expect(await refusalOf(pipeline.sign('backend', { ...wrong, payload: digest }))).toMatchObject({
      code: 'PAYLOAD_MISMATCH',
    });
    expect(await refusalOf(pipeline.importShare('backend', { key: 'shared' } as never))).toMatchObject({
      code: 'POLICY_DENIED',
      decision: { reasons: [{ rule: 'payouts', field: 'operations' }], needs: [] },
    });
    expect(use).not.toHaveBeenCalled();
  });

  it('says how long a rate that is used up takes until it permits the request', async () => {
    const { pipeline } = await start(undefined, { count: 2, seconds: 10 });
    expect(await refusalOf(pipeline.sign('backend', REQUEST))).toMatchObject({
      code: 'RATE_LIMITED',
      decision: { needs: [{ kind: 'time', rule: 'payouts', milliseconds: 5000 }] },
    });
  });

  it('signs nothing when the time of the configuration is over', async () => {
    const { pipeline, keyring, time } = await start();
    const use = vi.spyOn(keyring, 'key');
    time.now = Date.UTC(2032, 0);
    const refusal = await refusalOf(pipeline.sign('backend', REQUEST));
    expect(refusal).toBeInstanceOf(SigningError);
    expect(refusal.code).toBe('CONFIGURATION_EXPIRED');
    expect(use).not.toHaveBeenCalled();
  });

  it('lets a signature go only when its decision is recorded', async () => {
    const recorded = Promise.withResolvers<void>();
    const { pipeline } = await start(() => recorded.promise);
    const settled = vi.fn<() => void>();
    const signing = pipeline.sign('backend', REQUEST).finally(settled);
    await new Promise(setImmediate);
    expect(settled).not.toHaveBeenCalled();
    recorded.resolve();
    expect(await signing).toMatchObject({ rule: 'payouts' });
  });

  it('withholds a signature whose decision cannot be recorded', async () => {
    const { pipeline } = await start(() => Promise.reject(new SigningError('CONFIGURATION_EXPIRED', 'test')));
    await expect(pipeline.sign('backend', REQUEST)).rejects.toThrow(SigningError);
  });

  it('records permissions, denials, and permitted requests that failed', async () => {
    const records: DecisionRecord[] = [];
    const { pipeline } = await start((entry) => void records.push(entry));
    await pipeline.sign('backend', REQUEST);
    await refusalOf(pipeline.sign('auditor', REQUEST));
    await refusalOf(pipeline.commit('backend', { key: 'shared' }));
    expect(records).toMatchObject([
      { decision: { outcome: 'permitted', rule: 'payouts' }, failure: null, configuration: 3 },
      { decision: { outcome: 'denied', code: 'POLICY_DENIED' }, failure: null },
      { decision: { outcome: 'permitted' }, request: { operation: 'commit' }, failure: 'SHARE_MISSING' },
    ]);
  });
});
