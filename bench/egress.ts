/**
 * The parent's egress beside AWS's vsock-proxy, socat, the least that a relay can do, and no proxy at all: bytes a second
 * one way and both ways by size of write, answers a second and their latency over fresh and over kept connections, many
 * at once, memory of idle ones, processor time for a gigabyte. All take turns in each of the rounds; medians.
 *
 * node bench/egress.ts [--seconds N] [--rounds N] [--vsock-proxy PROGRAM] [--only NAME,…] [--figures WORD,…] [--json FILE]
 *
 * Needs a C compiler. bench/README.md says how to build AWS's program; it is left out when there is none.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { direct, holdfast, socat, spliceRelay, vsockProxy, type Contestant } from './egress/contestants.ts';
import { startLoad, type Responses, type Flow, type Load } from './egress/load.ts';
import { compilePeers } from './egress/peers.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    'vsock-proxy': { type: 'string', default: process.env['VSOCK_PROXY'] ?? '' },
    only: { type: 'string', default: '' },
    figures: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const MEASURED_MS = Number(values.seconds) * 1_000;
const GIGABYTE = 1e9;
/** Milliseconds in which KMS responds within the region. */
const KMS_MS = 20;
const ANSWER_TIMEOUT_MS = 5_000;

/** Measured values by name, of one contestant in one round. */
type Sample = Readonly<Record<string, number | undefined>>;

interface Figure {
  readonly name: string;
  measure(load: Load, contestant: Contestant): Promise<Sample>;
}

function flow(streams: number, size: number, way: 'both' | 'up'): Figure {
  return {
    name: `${streams.toLocaleString('en')} × ${size} B writes, ${way === 'up' ? 'one way' : 'both ways'}`,
    async measure(load, contestant) {
      const before = contestant.usage();
      const { upPerSecond, downPerSecond, bytes, moving }: Flow = await load.flow(
        contestant,
        streams,
        size,
        way,
        MEASURED_MS,
      );
      const after = contestant.usage();
      const cpuSeconds = before && after && after.cpuSeconds - before.cpuSeconds;
      return {
        'MB/s': (upPerSecond + downPerSecond) / 1e6,
        'CPU s/GB': cpuSeconds && (cpuSeconds * GIGABYTE) / bytes,
        served: streams > 1 ? moving : undefined,
      };
    },
  };
}

function answers(kind: 'fresh' | 'held', slots: number, delayMs: number): Figure {
  const what = kind === 'fresh' ? 'a connection for each question' : 'kept connections';
  const delay = delayMs === 0 ? '' : `, answered after ${delayMs} ms`;
  return {
    name: `${what}, ${slots.toLocaleString('en')} at once${delay}`,
    async measure(load, contestant) {
      const { perSecond, p50, p99, served }: Responses = await load.ask(
        kind,
        contestant,
        slots,
        delayMs,
        MEASURED_MS,
      );
      return {
        'answers/s': perSecond,
        'p50 ms': p50,
        'p99 ms': p99,
        served: slots > 1 && kind === 'held' ? served : undefined,
      };
    },
  };
}

function idle(slots: number): Figure {
  return {
    name: `${slots.toLocaleString('en')} idle connections`,
    async measure(load, contestant) {
      // Memory that an earlier load has left behind is no part of what idle connections take.
      await contestant.stop();
      await contestant.ensure();
      await sleep(500);
      const base = contestant.usage();
      let loaded: ReturnType<Contestant['usage']>;
      const { served } = await load.idle(contestant, slots, ANSWER_TIMEOUT_MS, () => {
        loaded = contestant.usage();
      });
      return { MB: base && loaded && (loaded.residentBytes - base.residentBytes) / 1e6, served };
    },
  };
}

const FIGURES: readonly Figure[] = [
  ...[64, 4_096, 65_536].flatMap((size) => [flow(1, size, 'up'), flow(1, size, 'both')]),
  flow(100, 4_096, 'both'),
  flow(1_000, 4_096, 'both'),
  ...[1, 100, 1_000].map((slots) => answers('fresh', slots, 0)),
  ...[1, 100, 1_000].map((slots) => answers('held', slots, 0)),
  ...[100, 1_000].map((slots) => answers('fresh', slots, KMS_MS)),
  ...[100, 1_000].map((slots) => answers('held', slots, KMS_MS)),
  idle(1_000),
];

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function medians(samples: readonly Sample[]): Sample {
  const units = [...new Set(samples.flatMap((sample) => Object.keys(sample)))];
  return Object.fromEntries(
    units.map((unit) => {
      const known = samples.map((sample) => sample[unit]).filter((value) => value !== undefined);
      return [unit, known.length === 0 ? undefined : median(known)];
    }),
  );
}

function format(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

async function run(load: Load, contestants: readonly Contestant[]): Promise<void> {
  const wanted = values.figures.split(',').filter(Boolean);
  const table: Record<string, Record<string, Sample>> = {};
  console.log(`| figure | unit | ${contestants.map(({ name }) => name).join(' | ')} |`);
  console.log(`| --- | --- | ${contestants.map(() => '---:').join(' | ')} |`);
  for (const figure of FIGURES) {
    if (wanted.length > 0 && !wanted.some((word) => figure.name.includes(word))) continue;
    const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const contestant of contestants) {
        await contestant.ensure();
        samples.get(contestant.name)?.push(await figure.measure(load, contestant));
      }
    }
    const results = Object.fromEntries([...samples].map(([name, ofOne]) => [name, medians(ofOne)]));
    table[figure.name] = results;
    const units = new Set(Object.values(results).flatMap((sample) => Object.keys(sample)));
    for (const unit of units) {
      const cells = contestants.map(({ name }) => format(results[name]?.[unit]));
      if (cells.some((cell) => cell !== '–')) console.log(`| ${[figure.name, unit, ...cells].join(' | ')} |`);
    }
  }
  console.error(
    `processes at work in the last minutes: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}`,
  );
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(table, undefined, 2));
}

const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
const peers = compilePeers(directory);
const load = await startLoad(peers.load);
const program = values['vsock-proxy'];
if (program === '')
  console.error('without vsock-proxy: build it and give --vsock-proxy, see bench/README.md');
const all = [
  direct(load.port),
  spliceRelay(peers, load.port, directory),
  socat(load.port, directory),
  ...(program === ''
    ? []
    : [4, 256].map((workers) => vsockProxy(peers, program, workers, load.port, directory))),
  holdfast(load.port, directory),
].filter((one) => one !== undefined);
const only = values.only.split(',').filter(Boolean);
const contestants =
  only.length === 0 ? all : all.filter(({ name }) => only.some((word) => name.includes(word)));
const cleanUp = async () => {
  load.stop();
  for (const contestant of contestants) await contestant.stop();
  rmSync(directory, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
}
try {
  await run(load, contestants);
} finally {
  await cleanUp();
}
