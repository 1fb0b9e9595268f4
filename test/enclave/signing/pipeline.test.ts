import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import { AppendError, type TransparencyLog } from '../../../enclave/log/index.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  FailedRequest,
  PolicyError,
  restoreDecisionState,
} from '../../../enclave/signing/index.ts';
import {
  encodeReceiptPae,
  type Entry,
  parseEntry,
  unsafeParseReceipt,
} from '../../../audit/receipt/index.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { openLocalCurves } from '../../../local/noble-curves.ts';
import { HoldfastError } from '../../../shared/errors.ts';
import { parseConfiguration } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const MESSAGE = { kind: 'message', message: Buffer.from('a transfer').toString('hex') } as const;
const REQUEST = { key: 'hot', algorithm: 'ed25519', payload: MESSAGE } as const;
const YEAR_2030 = Date.UTC(2030, 0);

type Append = TransparencyLog['append'];

/** A log of one leaf a checkpoint, that keeps what was appended; `gate` holds back what entries allow. */
function openLog(gate: () => Promise<void> = () => Promise.resolve()) {
  const entries: Entry[] = [];
  const append: Append = async (makeEntry) => {
    const index = entries.length;
    entries.push(parseEntry(makeEntry(index)));
    await gate();
    return { index, checkpoint: 'checkpoint\n', proof: [] };
  };
  return { entries, log: { append, witnesses: null, peerWitnesses: null } };
}

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const receiptKey = { privateKey, publicKey: new Uint8Array(publicKey.export({ format: 'raw-public' })) };
const MEASURED = {
  manifest: {
    namespace: 'demo',
    environment: 'test',
    node: 1,
    quorum: { size: 3, threshold: 2 },
  } as Manifest,
  digest: new Uint8Array(48),
};

async function start(gate?: () => Promise<void>, rate: object | null = null) {
  const configuration = parseConfiguration(
    Buffer.from(
      JSON.stringify({
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
      }),
    ),
  );
  const signed = { configuration, digest: new Uint8Array(48), signers: [] };
  const key = deriveStoreKey(new Uint8Array(32), { namespace: 'demo', environment: 'test', node: 1 });
  const none = { version: 0, digest: new Uint8Array(48) };
  const sealed = { order: 'first', configuration: none, boots: 0 };
  const store = SealedStore.create(new MemoryRecordStorage(), key, sealed, undefined);
  const admission = admitConfiguration(store.state, signed);
  const keyring = await Keyring.open(store, openLocalCurves(), configuration.keys, admission);
  const time = { now: YEAR_2030 };
  const clocks = { now: () => time.now, monotonic: () => 0 };
  const { log, entries } = openLog(gate);
  const common = { signed, measured: MEASURED, session: '00'.repeat(16), now: clocks.now };
  const pipeline = createSigningPipeline({
    ...common,
    keyring,
    clocks,
    log: createDecisionLog({ ...common, log, receiptKey }),
    state: await restoreDecisionState(store, common),
  });
  return { pipeline, keyring, time, entries };
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
  it('signs what a rule permits, and names the rule', async () => {
    const { pipeline } = await start();
    const signed = await pipeline.sign('backend', REQUEST);
    if (signed.outcome === 'pending') throw new TypeError('expected a signature');
    const [result, ...others] = signed.result;
    if (result === undefined || others.length > 0) throw new RangeError('expected one signature');
    const key = createPublicKey({
      key: Buffer.from(result.publicKey),
      format: 'raw-public',
      asymmetricKeyType: 'ed25519',
    });
    expect(verify(null, Buffer.from('a transfer'), key, result.signature)).toBe(true);
    expect(signed.rule).toBe('payouts');
  });

  it('uses no key for what no rule permits, and says which field of which rule did not match', async () => {
    const { pipeline, keyring, entries } = await start();
    const use = vi.spyOn(keyring, 'key');
    const refusal = await refusalOf(pipeline.sign('auditor', REQUEST));
    expect(refusal).toBeInstanceOf(PolicyError);
    expect(refusal).toMatchObject({ code: 'POLICY_DENIED' });
    expect(lastOf(entries)).toMatchObject({ outcome: 'denied', reasons: [] });
    const wrong = { ...REQUEST, key: 'shared', algorithm: 'frost-ed25519' } as const;
    const digest = { kind: 'digest', digest: '00'.repeat(32) } as const;
    expect(await refusalOf(pipeline.sign('backend', { ...wrong, payload: digest }))).toMatchObject({
      code: 'PAYLOAD_MISMATCH',
    });
    expect(await refusalOf(pipeline.importShare('backend', { key: 'shared' } as never))).toMatchObject({
      code: 'POLICY_DENIED',
    });
    expect(lastOf(entries)).toMatchObject({
      reasons: [{ rule: 'payouts', condition: 'operations' }],
      needs: [],
    });
    expect(use).not.toHaveBeenCalled();
  });

  it('says how long a rate that is used up takes until it permits the request', async () => {
    const { pipeline, entries } = await start(undefined, { count: 2, seconds: 10 });
    expect(await refusalOf(pipeline.sign('backend', REQUEST))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(lastOf(entries)).toMatchObject({ needs: [{ kind: 'time', rule: 'payouts' }] });
  });

  it('explains what it would decide, and signs, counts and records nothing', async () => {
    const { pipeline, keyring, entries } = await start(undefined, { count: 2, seconds: 10 });
    const use = vi.spyOn(keyring, 'key');
    expect(pipeline.explain('backend', REQUEST)).toMatchObject({
      outcome: 'permitted',
      rule: 'payouts',
      code: null,
      rules: [{ rule: 'payouts', matches: true, condition: null }],
      transaction: { kind: 'message' },
    });
    expect(pipeline.explain('auditor', REQUEST)).toMatchObject({ outcome: 'denied', code: 'POLICY_DENIED' });
    const digest = { kind: 'digest', digest: '00'.repeat(32) } as const;
    const shared = { key: 'shared', algorithm: 'frost-secp256k1-taproot', payload: digest } as const;
    expect(pipeline.explain('backend', shared)).toMatchObject({ code: 'ALGORITHM_MISMATCH' });
    expect(use).not.toHaveBeenCalled();
    expect(entries).toEqual([]);
  });

  it('signs nothing when the time of the configuration is over', async () => {
    const { pipeline, keyring, time } = await start();
    const use = vi.spyOn(keyring, 'key');
    time.now = Date.UTC(2032, 0);
    const refusal = await refusalOf(pipeline.sign('backend', REQUEST));
    expect(refusal).toBeInstanceOf(PolicyError);
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
    const { pipeline } = await start(() => Promise.reject(new AppendError('LOG_NOT_COSIGNED', 'test')));
    await expect(pipeline.sign('backend', REQUEST)).rejects.toThrow(AppendError);
  });

  it('records permissions, denials, and permitted requests that failed', async () => {
    const { pipeline, entries } = await start();
    const { receipt } = await pipeline.sign('backend', REQUEST);
    await refusalOf(pipeline.sign('auditor', REQUEST));
    const shared = { ...REQUEST, key: 'shared', algorithm: 'frost-ed25519' } as const;
    const failed = await refusalOf(pipeline.sign('backend', shared));
    expect(failed).toBeInstanceOf(FailedRequest);
    expect(failed.code).toBe('SHARE_MISSING');
    expect(entries.map(({ predicate }) => predicate)).toMatchObject([
      { outcome: 'permitted', rule: 'payouts', failure: null, configuration: { version: 3 }, sequence: 0 },
      { outcome: 'denied', code: 'POLICY_DENIED', failure: null, sequence: 1 },
      { outcome: 'permitted', request: { operation: 'sign' }, failure: 'SHARE_MISSING', sequence: 2 },
    ]);
    const { entry, signer } = unsafeParseReceipt(Buffer.from(JSON.stringify(receipt)));
    expect(parseEntry(entry)).toEqual(entries[0]);
    expect(verify(null, encodeReceiptPae(entry), publicKey, signer.signature)).toBe(true);
  });
});

const lastOf = (entries: readonly Entry[]) => entries.at(-1)?.predicate;
