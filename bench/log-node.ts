/**
 * The node's log by itself: entries a second into a store and tiles on this disk, and decisions under cosigned
 * checkpoints, with two witnesses in a process of their own that sign at once or after a delay.
 *
 * node bench/log-node.ts [--seconds N] [--connections N] [--delay MS]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { TransparencyLog } from '../enclave/log/index.ts';
import { deriveNodeKeys } from '../enclave/node/node-keys.ts';
import { deriveStoreKey, SealedStore } from '../enclave/store/index.ts';
import { createSqliteStore } from '../parent/index.ts';
import { silentLog } from '../parent/common/log.ts';
import { AuditLog } from '../parent/log/audit-log.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    delay: { type: 'string', default: '30' },
  },
});
const SECONDS = Number(values.seconds);
const PLACE = { namespace: 'bench', environment: 'test', node: 1 };
const PASSWORD = new Uint8Array(32).fill(7);
/** Bytes of an entry: some 1,500 are a decision with its transaction. */
const ENTRY = new Uint8Array(1_500).fill(0x61);

interface Witness {
  readonly url: string;
  readonly key: string;
}

/** Starts witnesses that sign whatever they are shown after a delay, on a thread of their own. */
async function startWitnesses(count: number, delayMs: number) {
  const worker = new Worker(new URL('log-node/witnesses.ts', import.meta.url), {
    workerData: { count, delayMs },
  });
  const witnesses = await new Promise<Witness[]>((resolve) => worker.once('message', resolve));
  return { witnesses, stop: () => worker.terminate() };
}

async function makeLog(witnesses: readonly Witness[]) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const audit = new AuditLog({ directory: join(folder, 'log'), witnesses }, silentLog);
  const session = await createSqliteStore(join(folder, 'store.sqlite')).open();
  audit.attach(session);
  const storage = {
    readRecord: (key: { table: string; id: string }) => session.read(key),
    listRecords: () => session.list(),
    commit: async (...[writes, log]: Parameters<typeof session.commit>) => {
      await session.commit(writes, log);
      if (log !== undefined) audit.accept(log);
    },
  };
  const state = { order: 'first', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
  const store = SealedStore.create(storage, deriveStoreKey(PASSWORD, PLACE), state, undefined);
  await store.commit([]);
  const service = audit.openSession();
  const log = new TransparencyLog({
    store,
    origin: 'node-1.test.bench.holdfast.internal/log',
    key: deriveNodeKeys(PASSWORD, PLACE).log,
    client: {
      publish: async (checkpoint) => {
        const response = await service.handle({ type: 'checkpoint', ...checkpoint });
        return response.type === 'error' ? { lines: [], refusals: [] } : response;
      },
    },
    witnesses:
      witnesses.length === 0
        ? null
        : { threshold: witnesses.length, keys: witnesses.map(({ key }) => key), maxUncosignedSeconds: 0 },
  });
  const close = async () => {
    log.close();
    await audit.close();
    audit.detach();
    await session.close();
    await rm(folder, { recursive: true });
  };
  return { log, close };
}

async function measure(name: string, witnesses: readonly Witness[], connections: number): Promise<void> {
  const { log, close } = await makeLog(witnesses);
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const end = startedAt + SECONDS * 1_000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        const from = performance.now();
        await log.append(() => ENTRY);
        times.push(performance.now() - from);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await close();
  times.sort((one, other) => one - other);
  const at = (part: number) => (times[Math.floor(times.length * part)] ?? NaN).toFixed(2);
  const cores = ((user + system) / 1e6 / seconds).toFixed(2);
  const rate = Math.round(times.length / seconds);
  process.stdout.write(
    `${name.padEnd(52)} ${String(rate).padStart(7)}/s  median ${at(0.5)} ms  p95 ${at(0.95)} ms  ${cores} cores\n`,
  );
}

const connections = Number(values.connections);
await measure('no witnesses, 1 at a time', [], 1);
await measure(`no witnesses, ${connections} at a time`, [], connections);
await measure('no witnesses, 1,024 at a time', [], 1_024);
const beside = await startWitnesses(2, 0);
await measure('two witnesses beside, 1 at a time', beside.witnesses, 1);
await measure(`two witnesses beside, ${connections} at a time`, beside.witnesses, connections);
await beside.stop();
const far = await startWitnesses(2, Number(values.delay));
await measure(`two witnesses ${values.delay} ms away, ${connections} at a time`, far.witnesses, connections);
await far.stop();
