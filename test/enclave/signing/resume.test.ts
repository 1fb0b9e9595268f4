import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Entry, parseEntry } from '../../../audit/receipt/index.ts';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { AppendError, type TransparencyLog } from '../../../enclave/log/index.ts';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  restoreDecisionState,
} from '../../../enclave/signing/index.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { openLocalCurves } from '../../../local/noble-curves.ts';
import { parseConfiguration } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { errorCode } from '../../../shared/errors.ts';
import { KeyHolder } from '../../policy/approvals/people.ts';
import { condition, makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';
import { statementOf, toBody } from '../approvals/circumstances.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const REQUEST = { key: 'hot', algorithm: 'ed25519', payload: { kind: 'message', message: 'ab' } } as const;
const MANIFEST = 'cd'.repeat(48);
const START = Date.UTC(2030, 0);
const storeKey = deriveStoreKey(new Uint8Array(32), { namespace: 'demo', environment: 'test', node: 1 });
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const receiptKey = { privateKey, publicKey: new Uint8Array(publicKey.export({ format: 'raw-public' })) };

/** A store whose node starts again and again, a clock, and a log that refuses what was made where it is told to. */
class Circumstances {
  readonly bob = new KeyHolder('bob');
  readonly storage = new MemoryRecordStorage();
  readonly entries: Entry[] = [];
  now = START;
  version = 1;
  isCosigned = true;

  async start() {
    const { storage, entries, bob } = this;
    const asks = permit({
      id: 'asks',
      algorithms: ['ed25519'],
      payloads: ['message'],
      networks: null,
      effects: [condition({ type: 'blind' })],
      approvals: { all: [{ group: 'people', count: 1 }], expiresSeconds: 3600 },
    });
    const notBefore = new Date(START + 600_000).toISOString();
    const later = {
      ...asks,
      id: 'later',
      approvals: null,
      time: { days: null, hours: null, notBefore, notAfter: null },
    };
    const document = makeConfiguration2({
      version: this.version,
      manifest: MANIFEST,
      clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: null }],
      clientGroups: [],
      keys: [{ id: 'hot', type: 'ed25519', networks: [] }],
      notAfter: new Date(START + 1_200_000).toISOString(),
      approvers: [bob.entry] as never,
      approverGroups: [{ id: 'people', approvers: ['bob'] }],
      addressBooks: [],
      rules: [asks, later],
    });
    const configuration = parseConfiguration(Buffer.from(JSON.stringify(document)));
    const signed = { configuration, digest: new Uint8Array(48).fill(this.version), signers: [] };
    const none = { order: 'first', configuration: { version: 0, digest: new Uint8Array(48) }, boots: 0 };
    const store =
      storage.records.size === 0
        ? SealedStore.create(storage, storeKey, none, undefined)
        : await SealedStore.open(storage, storeKey);
    const admission = admitConfiguration(store.state, signed);
    const keyring = await Keyring.open(store, openLocalCurves(), configuration.keys, admission);
    const measured = {
      manifest: {
        namespace: 'demo',
        environment: 'test',
        node: 1,
        quorum: { size: 3, threshold: 2 },
      } as Manifest,
      digest: Buffer.from(MANIFEST, 'hex'),
    };
    const common = { signed, measured, session: '00'.repeat(16), now: () => this.now };
    const state = await restoreDecisionState(store, common);
    const append: TransparencyLog['append'] = async (makeEntry) => {
      const index = entries.length;
      entries.push(parseEntry(makeEntry(index)));
      await store.commit(state.sources.flatMap((source) => source.collectChanges()));
      if (!this.isCosigned) throw new AppendError('LOG_NOT_COSIGNED', 'as the test has it');
      return { index, checkpoint: 'checkpoint\n', proof: [] };
    };
    const decisionLog = createDecisionLog({
      ...common,
      log: { append, witnesses: null, peerWitnesses: null },
      receiptKey,
    });
    const clocks = { now: () => this.now, monotonic: () => 0 };
    const pipeline = createSigningPipeline({ ...common, keyring, clocks, log: decisionLog, state });
    const approve = (id: string) =>
      state.requests.vote(
        id,
        toBody(bob.sign(statementOf(state.requests, id, 'bob', { manifest: MANIFEST }))),
        (received) => decisionLog.recordVote(received),
      );
    return { pipeline, approve, requests: state.requests };
  }
}

async function waitingOf(started: Awaited<ReturnType<Circumstances['start']>>) {
  const outcome = await started.pipeline.sign('backend', REQUEST);
  if (outcome.outcome !== 'pending') throw new TypeError('expected a request that waits');
  return outcome;
}

const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => 'released',
    (error: unknown) => errorCode(error),
  );

it('says until when a request waits that waits already', async () => {
  const around = new Circumstances();
  const started = await around.start();
  const { id, expires } = await waitingOf(started);
  expect(expires).toBe(START + 3_600_000);
  around.now += 60_000;
  expect(await waitingOf(started)).toMatchObject({ id, expires });
});

it('releases nothing that was recorded and not cosigned before a later entry is', async () => {
  const around = new Circumstances();
  const started = await around.start();
  const { id } = await waitingOf(started);
  await started.approve(id);
  around.isCosigned = false;
  expect(await codeOf(started.pipeline.resume('backend', id))).toBe('LOG_NOT_COSIGNED');
  expect(await codeOf(started.pipeline.resume('backend', id))).toBe('LOG_NOT_COSIGNED');
  around.isCosigned = true;
  const before = around.entries.length;
  expect(await codeOf(started.pipeline.resume('backend', id))).toBe('released');
  expect(around.entries).toHaveLength(before + 1);
});

it('releases no signature that another configuration has permitted', async () => {
  const around = new Circumstances();
  const first = await around.start();
  const { id } = await waitingOf(first);
  await first.approve(id);
  around.isCosigned = false;
  expect(await codeOf(first.pipeline.resume('backend', id))).toBe('LOG_NOT_COSIGNED');
  around.isCosigned = true;
  const again = await around.start();
  expect(again.requests.find(id).state).toBe('done');
  around.version = 2;
  const next = await around.start();
  expect(await codeOf(next.pipeline.resume('backend', id))).toBe('REQUEST_UNKNOWN');
});

it('names no votes under a rule that permits without them', async () => {
  const around = new Circumstances();
  const started = await around.start();
  const { id } = await waitingOf(started);
  await started.approve(id);
  around.now += 600_000;
  expect(await started.pipeline.resume('backend', id)).toMatchObject({ rule: 'later' });
  expect(around.entries.at(-1)?.predicate).toMatchObject({ rule: 'later', pendingId: id, approvals: [] });
});

it('releases no kept signature once the configuration has expired', async () => {
  const around = new Circumstances();
  const started = await around.start();
  const { id } = await waitingOf(started);
  await started.approve(id);
  expect(await codeOf(started.pipeline.resume('backend', id))).toBe('released');
  around.now += 1_200_001;
  expect(await codeOf(started.pipeline.resume('backend', id))).toBe('CONFIGURATION_EXPIRED');
  expect(around.entries.at(-1)?.predicate).toMatchObject({ outcome: 'denied', rule: null, signatures: [] });
});
