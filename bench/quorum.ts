/**
 * Signatures that nodes of a quorum make together: latency, rate, and what part of it is arithmetic. All nodes are in this
 * one process, on one core: real pipelines, sealed stores in memory, a network in memory with a delay each way. There is no
 * TLS, no channel between the nodes and no transparency log.
 *
 * node bench/quorum.ts [--quorums 2/3,3/5,5/9] [--delays 0,1,30] [--seconds N] [--types frost-ed25519,…] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { toQuorumShare } from '../enclave/quorum/signing/index.ts';
import { openLocalGroups } from '../local/local-groups.ts';
import { type ShareType, shareTypeSchema } from '../shared/algorithms.ts';
import { createSuites } from '../shared/frost/index.ts';
import { toSigningInput } from '../policy/transactions/index.ts';
import { KEY, QuorumTestbed } from '../test/enclave/quorum/signing/quorum-testbed.ts';
import { percentile } from './node/statistics.ts';

const { values } = parseArgs({
  options: {
    quorums: { type: 'string', default: '2/3,3/5,5/9' },
    delays: { type: 'string', default: '0,1,30' },
    seconds: { type: 'string', default: '2' },
    types: { type: 'string', default: 'frost-ed25519,frost-secp256k1-taproot' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
/** Requests under way at once where the rate is measured. */
const UNDER_WAY = 32;
const WARM_UP = 24;
const SINGLE_REQUESTS = 60;
const suites = createSuites(openLocalGroups());

interface Figures {
  readonly type: ShareType;
  readonly quorum: string;
  readonly delayMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Milliseconds of processor time for one signature, at all nodes together. */
  readonly cpuMs: number;
  /** Milliseconds of processor time that the arithmetic of one signature takes at all nodes together. */
  readonly arithmeticMs: number;
  /** Calls between nodes for one signature that a client waited for. */
  readonly roundTrips: number;
}

const payloadOf = (type: ShareType, index: number) => {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(index);
  const hex = bytes.toString('hex');
  return type === 'frost-secp256k1-taproot'
    ? ({ kind: 'taproot-sighash', digest: hex, merkleRoot: '' } as const)
    : ({ kind: 'message', message: hex } as const);
};

function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Measures the arithmetic alone: the signers' nonces and shares, and one aggregation, in this thread. */
function measureArithmetic(testbed: QuorumTestbed, type: ShareType): number {
  const { threshold } = testbed.options;
  const shares = testbed.nodes
    .slice(0, threshold)
    .map(({ running }) => toQuorumShare(running.keyring.share(KEY), running.keyring.chainCode(KEY)));
  const sign = (index: number) => {
    const input = toSigningInput(payloadOf(type, index));
    const nonces = shares.map((share) => share.commit());
    const list = nonces.map(({ commitments }) => commitments);
    const made = shares.map((share, place) => {
      const own = nonces[place];
      if (own === undefined) throw new RangeError('expected nonces');
      return share.sign(input, own, list);
    });
    if (made[0] !== undefined) shares[0]?.aggregate(made[0].prepared, made);
  };
  for (let index = 0; index < WARM_UP; index += 1) sign(index);
  const before = cpuNow();
  const end = performance.now() + 500 * seconds;
  let count = 0;
  for (; performance.now() < end; count += 1) sign(count);
  return (cpuNow() - before) / count;
}

async function measure(type: ShareType, quorum: string, delayMs: number): Promise<Figures> {
  const [threshold = 2, size = 3] = quorum.split('/').map(Number);
  const isTaproot = type === 'frost-secp256k1-taproot';
  const testbed = await QuorumTestbed.start({
    type,
    threshold,
    size,
    suites,
    rule: () => ({ payloads: [isTaproot ? 'taproot-sighash' : 'message'] }),
    network: { faults: { minDelayMs: delayMs, maxDelayMs: delayMs } },
  });
  let calls = 0;
  testbed.network.onDelivery = ({ kind }) => {
    if (kind === 'sign') calls += 1;
    return true;
  };
  let index = 0;
  const sign = async () => {
    index += 1;
    const start = performance.now();
    const signed = await testbed.node(1).sign({ payload: payloadOf(type, index) });
    if (signed.outcome !== 'permitted') throw new Error('expected a signature');
    return performance.now() - start;
  };
  const many = async (isOver: () => boolean) => {
    let count = 0;
    const one = async () => {
      for (; !isOver(); count += 1) await sign();
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, one));
    return count;
  };
  const warm = performance.now() + 500;
  for (let count = 0; count < WARM_UP; count += 1) await sign();
  await many(() => performance.now() > warm);
  await new Promise((resolve) => {
    setTimeout(resolve, 4 * delayMs + 50);
  });
  calls = 0;
  const single: number[] = [];
  for (let count = 0; count < SINGLE_REQUESTS; count += 1) single.push(await sign());
  const roundTrips = calls / SINGLE_REQUESTS / (threshold - 1);
  const cpu = cpuNow();
  const start = performance.now();
  const count = await many(() => performance.now() > start + 1000 * seconds);
  const elapsed = performance.now() - start;
  const cpuMs = (cpuNow() - cpu) / count;
  const arithmeticMs = measureArithmetic(testbed, type);
  return {
    type,
    quorum,
    delayMs,
    p50: percentile(single, 0.5),
    p99: percentile(single, 0.99),
    perSecond: (1000 * count) / elapsed,
    cpuMs,
    arithmeticMs,
    roundTrips,
  };
}

const [cpu] = cpus();
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpu?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)} before; all nodes in one thread`,
);
const rows: Figures[] = [];
for (const type of values.types.split(',').map((name) => shareTypeSchema.parse(name))) {
  for (const quorum of values.quorums.split(',')) {
    for (const delayMs of values.delays.split(',').map(Number)) {
      const row = await measure(type, quorum, delayMs);
      rows.push(row);
      const { p50, p99, perSecond, cpuMs, arithmeticMs, roundTrips } = row;
      console.log(
        `${type.padEnd(24)} ${quorum} ${String(delayMs).padStart(3)} ms  p50 ${p50.toFixed(2).padStart(7)} ms  p99 ${p99.toFixed(2).padStart(7)} ms` +
          `  ${perSecond.toFixed(0).padStart(5)}/s  CPU ${cpuMs.toFixed(2).padStart(6)} ms, arithmetic ${arithmeticMs.toFixed(2).padStart(6)} ms (${((100 * arithmeticMs) / cpuMs).toFixed(0)} %)` +
          `  waiting beside both ${Math.max(0, p50 - 2 * delayMs - cpuMs).toFixed(2)} ms  calls ${roundTrips.toFixed(2)}`,
      );
    }
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
