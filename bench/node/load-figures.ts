import { type SignRequest, signRequestSchema, signResponseSchema } from '../../shared/api/bodies.ts';
import { Child } from './child.ts';
import type { LoadTask, LoadTold } from './load-process.ts';
import { readBusyTime, readCpuTime } from './process-usage.ts';
import { percentile } from './statistics.ts';
import { verifyResponse } from './verification.ts';

/** Figures of a load. Times of processors are in microseconds for one request. */
export interface LoadFigures {
  readonly connections: number;
  readonly perSecond: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the process behind the parent: the enclave, or the floor. */
  readonly server: number;
  readonly parent: number;
  readonly client: number;
  /** Processors that other work of the machine took meanwhile: near 0, or the figures are others' too. */
  readonly others: number;
}

export interface LoadTarget {
  readonly url: string;
  readonly session: string;
  readonly serverPid: number;
  readonly parentPid: number;
}

export interface LoadOptions {
  readonly clients: LoadTask['clients'];
  readonly connections: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Requests a second that are signed beforehand; {@link MAX_PER_SECOND} when left out. */
  readonly maxPerSecond?: number;
}

/**
 * Maximum of requests a second, more than any node here serves: signed requests that are not used are thrown away. On a
 * busy machine it takes longer to sign more than a signature is valid for.
 */
const MAX_PER_SECOND = 6_000;
const FLOOR_REQUESTS = 1_000;

/**
 * Puts a load on a node, or on the floor, and verifies some of the responses when they are signatures.
 *
 * @param requested one request that is made again and again, or many in turn
 */
export async function measureLoad(
  target: LoadTarget,
  requested: SignRequest | readonly SignRequest[],
  { clients, connections, seconds, warmUpSeconds, maxPerSecond = MAX_PER_SECOND }: LoadOptions,
  isNode: boolean,
): Promise<LoadFigures> {
  const task: LoadTask = {
    port: Number(new URL(target.url).port),
    session: target.session,
    clients,
    bodies: [requested].flat().map((request) => JSON.stringify(request)),
    connections,
    warmUpMs: warmUpSeconds * 1000,
    milliseconds: seconds * 1000,
    requests: Math.ceil(isNode ? (seconds + warmUpSeconds) * maxPerSecond : FLOOR_REQUESTS),
    isRepeating: !isNode,
  };
  const load = new Child<LoadTold>('./load-process.ts', task);
  try {
    const pids = [target.serverPid, target.parentPid, load.pid];
    if ((await load.next()) !== 'measuring') throw new Error('expected "measuring" from the load');
    const before = pids.map(readCpuTime);
    const busyBefore = readBusyTime();
    const told = await load.next();
    const after = pids.map(readCpuTime);
    const busy = readBusyTime() - busyBefore;
    if (told === 'measuring') throw new Error('expected figures from the load, found "measuring"');
    const { count, milliseconds, latencies, answers } = told;
    for (const { body, response } of isNode ? answers : []) {
      verifyResponse(
        signRequestSchema.parse(JSON.parse(body)),
        signResponseSchema.parse(JSON.parse(response)),
      );
    }
    const spent = pids.map((_, index) => (((after[index] ?? 0) - (before[index] ?? 0)) * 1000) / count);
    const ours = pids.reduce((sum, _, index) => sum + (after[index] ?? 0) - (before[index] ?? 0), 0);
    return {
      connections,
      perSecond: (count * 1000) / milliseconds,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      server: spent[0] ?? Number.NaN,
      parent: spent[1] ?? Number.NaN,
      client: spent[2] ?? Number.NaN,
      others: Math.max(0, busy - ours) / milliseconds,
    };
  } finally {
    await load.end();
  }
}
