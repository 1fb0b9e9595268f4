/**
 * The parent's egress beside socat and beside no proxy at all, in one run: throughput one way and both ways by size of
 * write, connections a second and their latency, many at once, memory of idle connections, CPU for a gigabyte.
 *
 * node bench/egress.ts [--seconds N] [--json]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  hasSocat,
  readUsage,
  startDirect,
  startOurs,
  startSocat,
  type Contestant,
} from './egress/contestants.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } },
});
const MEASURED_MS = Number(values.seconds) * 1_000;
const SIZES = [64, 4_096, 65_536];
const GIGABYTE = 1e9;

interface Row {
  readonly contestant: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
}

async function readAll(stream: Duplex): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += (chunk as Buffer).length;
  return bytes;
}

/** Writes for a while and returns the bytes that were written. */
async function pump(stream: Duplex, size: number, milliseconds: number): Promise<number> {
  const chunk = Buffer.alloc(size, 7);
  const end = performance.now() + milliseconds;
  let bytes = 0;
  for (let count = 0; ; count += 1) {
    if (!stream.write(chunk)) await once(stream, 'drain');
    bytes += size;
    // Looking at the clock for every 64 bytes would be what is measured.
    if ((count & 63) === 0 && performance.now() >= end) return bytes;
  }
}

async function measureThroughput(contestant: Contestant, size: number, mode: 'D' | 'E', streams = 1) {
  const before = contestant.pid === undefined ? undefined : readUsage(contestant.pid);
  const startedAt = performance.now();
  const moved = await Promise.all(
    Array.from({ length: streams }, async () => {
      const stream = await contestant.dial();
      stream.write(mode);
      const received = readAll(stream);
      const bytes = await pump(stream, size, MEASURED_MS);
      stream.end();
      await received;
      return bytes;
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const bytes = moved.reduce((sum, one) => sum + one, 0);
  const after = contestant.pid === undefined ? undefined : readUsage(contestant.pid);
  const cpuSeconds =
    before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds;
  return {
    megabytesPerSecond: bytes / 1e6 / seconds,
    cpuPerGigabyte: cpuSeconds && (cpuSeconds * GIGABYTE) / bytes,
  };
}

async function measureConnections(contestant: Contestant, concurrency: number) {
  const latencies: number[] = [];
  const end = performance.now() + MEASURED_MS;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < end) {
        const before = performance.now();
        const stream = await contestant.dial();
        stream.end('E.');
        await readAll(stream);
        stream.destroy();
        latencies.push(performance.now() - before);
      }
    }),
  );
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    perSecond: (latencies.length * 1_000) / (performance.now() - startedAt),
    p50: at(0.5),
    p99: at(0.99),
  };
}

/** Resident memory that 1,000 idle connections take above what the process has without. */
async function measureIdle(contestant: Contestant): Promise<number | undefined> {
  if (contestant.pid === undefined) return undefined;
  await sleep(500);
  const base = readUsage(contestant.pid).residentBytes;
  const streams: Duplex[] = [];
  for (let count = 0; count < 1_000; count += 50) {
    streams.push(...(await Promise.all(Array.from({ length: 50 }, () => contestant.dial()))));
  }
  for (const stream of streams) stream.write('E.');
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  await sleep(500);
  const loaded = readUsage(contestant.pid).residentBytes;
  for (const stream of streams) stream.destroy();
  return loaded - base;
}

async function measure(contestant: Contestant): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (figure: string, value: number | undefined, unit: string) => {
    if (value !== undefined) rows.push({ contestant: contestant.name, figure, value, unit });
  };
  add('1,000 idle connections', scale(await measureIdle(contestant), 1e-6), 'MB');
  for (const size of SIZES) {
    for (const mode of ['D', 'E'] as const) {
      const { megabytesPerSecond, cpuPerGigabyte } = await measureThroughput(contestant, size, mode);
      const what = `${size} B writes, ${mode === 'D' ? 'one way' : 'both ways'}`;
      add(what, megabytesPerSecond, 'MB/s');
      if (size === 65_536) add(`${what}, CPU`, cpuPerGigabyte, 's/GB');
    }
  }
  const many = await measureThroughput(contestant, 4_096, 'E', 100);
  add('4096 B writes, both ways, 100 at once', many.megabytesPerSecond, 'MB/s');
  for (const concurrency of [1, 100, 1_000]) {
    const { perSecond, p50, p99 } = await measureConnections(contestant, concurrency);
    add(`connections, ${concurrency} at once`, perSecond, '1/s');
    add(`connections, ${concurrency} at once, p50`, p50, 'ms');
    add(`connections, ${concurrency} at once, p99`, p99, 'ms');
  }
  return rows;
}

function scale(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
const target = spawn(process.execPath, [join(import.meta.dirname, 'egress/target-process.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = (await once(target.stdout, 'data')) as [Buffer];
const port = Number(String(line));
const rows: Row[] = [];
try {
  const starts = [
    () => Promise.resolve(startDirect(port)),
    () => startOurs(port, directory),
    ...(hasSocat() ? [() => startSocat(port, directory)] : []),
  ];
  for (const start of starts) {
    const contestant = await start();
    rows.push(...(await measure(contestant)));
    await contestant.stop();
  }
} finally {
  target.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify(rows, undefined, 2));
else {
  const names = [...new Set(rows.map(({ contestant }) => contestant))];
  const figures = [...new Set(rows.map(({ figure }) => figure))];
  console.log(['figure', ...names].join(' | '));
  for (const figure of figures) {
    const cells = names.map((name) => {
      const row = rows.find((one) => one.contestant === name && one.figure === figure);
      return row === undefined ? '-' : `${row.value.toPrecision(4)} ${row.unit}`;
    });
    console.log([figure, ...cells].join(' | '));
  }
}
