import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant } from './contestants.ts';

export interface Flow {
  readonly upPerSecond: number;
  readonly downPerSecond: number;
  /** Bytes in both directions, the warm-up included. */
  readonly bytes: number;
  /** Count of connections through which more went than buffers hold. */
  readonly moving: number;
}

export interface Responses {
  readonly perSecond: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Count of connections that got a response at all. */
  readonly served: number;
}

/** Generator of load, running, with the target in the same process: peers/load.c. */
export interface Load {
  readonly port: number;
  flow(to: Contestant, streams: number, size: number, way: 'both' | 'up', ms: number): Promise<Flow>;
  /** Asks over a connection for each question, or over connections that stay; the target responds after a delay. */
  ask(kind: 'fresh' | 'held', to: Contestant, slots: number, delayMs: number, ms: number): Promise<Responses>;
  /** Calls back while `slots` connections are open, each of which has got a response, if it came within `ms`. */
  idle(to: Contestant, slots: number, ms: number, whileOpen: () => void): Promise<{ served: number }>;
  stop(): void;
}

export async function startLoad(program: string): Promise<Load> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('expected a line from the generator of load, which has ended');
    return JSON.parse(value) as unknown;
  };
  const say = (...words: (number | string)[]) => child.stdin.write(`${words.join(' ')}\n`);
  return {
    port: (await next()) as number,
    async flow({ address, preamble }, streams, size, way, ms) {
      say('flow', address, preamble, streams, size, way, ms);
      return (await next()) as Flow;
    },
    async ask(kind, { address, preamble }, slots, delayMs, ms) {
      say(kind, address, preamble, slots, delayMs, ms);
      return (await next()) as Responses;
    },
    async idle({ address, preamble }, slots, ms, whileOpen) {
      say('idle', address, preamble, slots, ms);
      const result = (await next()) as { served: number };
      await sleep(500);
      whileOpen();
      say();
      return result;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
