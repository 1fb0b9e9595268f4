/**
 * What a scheduled refresh of many keys does to signing: the nodes refresh all of them as their configuration orders, while
 * a client has one message after the other signed. All nodes are in this one process and thread, so that a pause of any
 * of them is one of all: real pipelines, schedules and ceremonies, sealed stores in memory, a network in memory.
 *
 * node bench/quorum-refresh.ts [--keys N] [--size N] [--threshold N]
 */
import { randomBytes } from 'node:crypto';
import { cpus, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { holdShare } from '../enclave/frost/held-share.ts';
import { openLocalGroups } from '../local/local-groups.ts';
import { createSuites, dealGroup } from '../shared/frost/index.ts';
import { KEY, manifestOf, QuorumTestbed } from '../test/enclave/quorum/signing/quorum-testbed.ts';
import { percentile } from './node/statistics.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000' },
    size: { type: 'string', default: '3' },
    threshold: { type: 'string', default: '2' },
  },
});
const [count, size, threshold] = [Number(values.keys), Number(values.size), Number(values.threshold)];
const TYPE = 'frost-ed25519';
/** Milliseconds after which each schedule has looked at its keys once. */
const FIRST_LOOK_MS = 61_000;
const QUIET_MS = 5_000;
const HOURS_2_MS = 7_200_000;
/** Milliseconds between two requests: signing alone leaves most of the thread to the refresh. */
const PAUSE_MS = 20;
const suites = createSuites(openLocalGroups());
const ids = Array.from({ length: count }, (_, index) => `key-${index}`);
const nodes = Array.from({ length: size }, (_, index) => index + 1);
const pcrs = { 0: '00'.repeat(48), 1: '00'.repeat(48), 2: '00'.repeat(48) };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const testbed = await QuorumTestbed.start({
  type: TYPE,
  size,
  threshold,
  suites,
  hasCeremonies: true,
  configuration: (own) => ({
    keys: [KEY, ...ids].map((id) => ({ id, type: TYPE, networks: [] })),
    quorum: {
      peers: nodes
        .filter((node) => node !== own)
        .map((node) => ({ node, manifest: hex(manifestOf(node)), images: [{ pcrs, notAfter: null }] })),
      servesAlone: [],
      refreshHours: 1,
    },
  }),
});
for (const id of ids) {
  const { group, shares } = dealGroup(suites[TYPE], { epoch: 0, threshold, signers: nodes }, randomBytes);
  for (const node of nodes) {
    const held = holdShare(group, node, shares.get(node) ?? new Uint8Array(), {
      suites,
      random: randomBytes,
    });
    await testbed.node(node).running.keyring.takeShare(id, held);
  }
}

const countRefreshed = () =>
  ids.filter((id) => (testbed.node(size).running.keyring.shareRecord(id)?.current?.group.epoch ?? 0) > 0)
    .length;

/** Has messages signed until told to stop, and returns how long each took, in milliseconds. */
async function signUntil(
  isOver: () => boolean,
): Promise<{ readonly times: number[]; readonly pauseMs: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const times: number[] = [];
  while (!isOver()) {
    const start = performance.now();
    const message = randomBytes(32).toString('hex');
    const signed = await testbed.node(1).sign({ payload: { kind: 'message', message } });
    if (signed.outcome !== 'permitted') throw new Error('expected a signature');
    times.push(performance.now() - start);
    await sleep(PAUSE_MS);
  }
  delays.disable();
  return { times, pauseMs: delays.max / 1e6 };
}

const show = (what: string, { times, pauseMs }: Awaited<ReturnType<typeof signUntil>>) =>
  console.log(
    `${what.padEnd(10)} ${times.length} signatures  p50 ${percentile(times, 0.5).toFixed(1)} ms  p99 ${percentile(times, 0.99).toFixed(1)} ms` +
      `  longest ${Math.max(...times).toFixed(1)} ms  longest pause of the thread ${pauseMs.toFixed(1)} ms`,
  );

const [cpu] = cpus();
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpu?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}; ${count} keys, ${threshold} of ${size}, all nodes in one thread`,
);
await sleep(FIRST_LOOK_MS);
const quietEnd = performance.now() + QUIET_MS;
show('before', await signUntil(() => performance.now() > quietEnd));
testbed.now += HOURS_2_MS;
while (countRefreshed() === 0) await sleep(10);
const start = performance.now();
show('meanwhile', await signUntil(() => countRefreshed() === count));
console.log(`${count} keys refreshed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
process.exit(0);
