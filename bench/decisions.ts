/**
 * What a decision costs the enclave by itself: from the body of a request to that of its answer, in one process without
 * a network and without the client's signature. The parent's store takes whatever it is sent.
 *
 * node bench/decisions.ts [--requests N] [--connections N] [--only transfers,digests,tezos] [--profile FILE]
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { createRouter } from '../enclave/api/router.ts';
import { createSigningRoutes } from '../enclave/api/signing-routes.ts';
import { Keyring } from '../enclave/keyring/index.ts';
import { TransparencyLog } from '../enclave/log/index.ts';
import { admitConfiguration } from '../enclave/node/configuration.ts';
import { deriveNodeKeys } from '../enclave/node/node-keys.ts';
import { createDecisionLog, createSigningPipeline, restoreDecisionState } from '../enclave/signing/index.ts';
import { deriveStoreKey, type RecordStorage, SealedStore } from '../enclave/store/index.ts';
import { openLocalCurves } from '../local/noble-curves.ts';
import type { SignRequest } from '../shared/api/bodies.ts';
import { encodeCbor } from '../shared/cbor/index.ts';
import { readConfiguration } from '../shared/documents/configuration.ts';
import { manifestSchema } from '../shared/documents/manifest.ts';
import { makeTezosConfiguration, makeTezosTransactions, TEZOS_KEY } from './node/tezos-transactions.ts';
import { DIGEST, makeTransferConfiguration, makeTransfers } from './node/transfers.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '8000' },
    profile: { type: 'string' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string', default: 'transfers,digests,tezos' },
  },
});
const CLIENT = 'backend';
const PASSWORD = new Uint8Array(32).fill(7);
const PLACE = { namespace: 'bench', environment: 'test', node: 1 };
const MANIFEST_DIGEST = new Uint8Array(48);

async function startNode(configure: typeof makeTransferConfiguration) {
  const configuration = readConfiguration({
    ...configure([{ id: CLIENT, publicKey: '01'.repeat(32) }]),
    manifest: '00'.repeat(48),
  });
  const signed = { configuration, digest: new Uint8Array(48), signers: [] };
  const measured = {
    manifest: manifestSchema.parse({
      format: 'holdfast-manifest/1',
      ...PLACE,
      quorum: { size: 1, threshold: 1 },
      kms: {
        keyArn: `arn:aws:kms:eu-central-1:${'1'.repeat(12)}:key/00000000-0000-4000-8000-000000000000`,
        region: 'eu-central-1',
      },
      configurationAuthority: { threshold: 1, keys: ['02'.repeat(32)] },
      emergencyRecovery: { publicKey: '03'.repeat(32) },
    }),
    digest: MANIFEST_DIGEST,
  };
  const storage: RecordStorage = {
    readRecord: () => Promise.resolve(null),
    listRecords: () => Promise.resolve([]),
    commit: async (writes, log) => {
      const request = { type: 'store-commit', writes: writes.map((write) => ({ ...write })) };
      encodeCbor(log === undefined ? request : { ...request, log: { ...log } });
      await new Promise(setImmediate);
    },
  };
  const none = { version: 0, digest: new Uint8Array(48) };
  const state = { order: 'first-start', configuration: none, boots: 1 };
  const store = SealedStore.create(storage, deriveStoreKey(PASSWORD, PLACE), state, undefined);
  const admission = admitConfiguration(store.state, signed);
  const keyring = await Keyring.open(store, openLocalCurves(), configuration.keys, admission);
  const keys = deriveNodeKeys(PASSWORD, PLACE);
  const log = new TransparencyLog({
    store,
    origin: 'node-1.test.bench.holdfast.internal/log',
    key: keys.log,
    client: { publish: () => Promise.resolve({ lines: [], refusals: [] }) },
    witnesses: null,
  });
  const common = { signed, measured, session: '00'.repeat(16), now: () => Date.now() };
  const decisions = await restoreDecisionState(store, common);
  for (const source of decisions.sources) log.addSource(source);
  const pipeline = createSigningPipeline({
    ...common,
    keyring,
    clocks: { now: common.now, monotonic: () => performance.now() },
    log: createDecisionLog({ ...common, log, receiptKey: keys.receipt }),
    state: decisions,
  });
  const handle = createRouter(createSigningRoutes(pipeline, 1), {
    authenticate: () => ({ clientId: CLIENT, admit: () => undefined }),
    onError: (error) => console.error(error),
  });
  return { handle, keyring };
}

async function measure(
  name: string,
  makeRequests: (keyring: Keyring) => readonly SignRequest[],
  configure = makeTransferConfiguration,
): Promise<void> {
  const { handle, keyring } = await startNode(configure);
  const bodies = makeRequests(keyring).map((request) => Buffer.from(JSON.stringify(request)));
  let bytes = 0;
  const ask = async (body: Uint8Array) => {
    const handler = handle({
      method: 'POST',
      target: '/v1/sign',
      rawHeaders: [],
      contentLength: body.length,
    });
    if (typeof handler !== 'function') throw new Error('expected a handler for the body');
    const answer = await handler(body);
    if (answer.status !== 200) throw new Error(`found ${JSON.stringify(answer)}`);
    bytes = JSON.stringify(answer.body).length;
    // Requests of one turn of the event loop make one batch, as those that a socket brings do.
    await new Promise(setImmediate);
  };
  const askAll = async (count: number) => {
    let next = 0;
    const run = async () => {
      while (next < count) await ask(bodies[next++ % bodies.length] ?? Buffer.of());
    };
    await Promise.all(Array.from({ length: Number(values.connections) }, run));
  };
  const count = Number(values.requests);
  // The first thousands are those of code that is not compiled yet.
  await askAll(count / 2);
  const cpu = process.cpuUsage();
  await profile(() => askAll(count));
  const { user, system } = process.cpuUsage(cpu);
  const microseconds = ((user + system) / count).toFixed(0);
  console.log(`${name.padEnd(12)} ${microseconds.padStart(6)} µs of a core, answer of ${bytes} bytes`);
}

/** Runs an act, under V8's profiler where a file was named for its result. */
async function profile(act: () => Promise<void>): Promise<void> {
  if (values.profile === undefined) return await act();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  await act();
  const result = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(values.profile, JSON.stringify(result.profile));
}

const only = values.only.split(',');
if (only.includes('transfers')) await measure('transfers', () => makeTransfers(20_000));
if (only.includes('digests')) await measure('digests', () => [DIGEST]);
if (only.includes('tezos')) {
  const make = (keyring: Keyring) =>
    makeTezosTransactions(keyring.publicKey(TEZOS_KEY) ?? new Uint8Array(), 20_000).requests;
  await measure('tezos', make, makeTezosConfiguration);
}
