/**
 * KMS Sign of P-256 through door, parent and enclave, beside the native client in front of the same node: rounds of both in
 * turn. The enclave's process has one core to itself; parent, door and clients share the other one.
 *
 * node bench/gateway-kms.ts [--rounds N] [--seconds N] [--connections 1,16] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleEntry } from '../scripts/image/bundle.ts';
import { canPin, OTHER_CORE, pinSelf } from './node/cores.ts';
import { Child } from './node/child.ts';
import type { DoorTask, DoorTold } from './node/door-process.ts';
import type { KmsTask } from './node/kms-client-process.ts';
import type { ClientTold, NativeTask } from './node/native-client-process.ts';
import { readBusyTime, readCpuTime, readMemory } from './node/process-usage.ts';
import { type BenchNode, BenchStack } from './node/stack.ts';
import { median, percentile } from './node/statistics.ts';
import { toWireTrust } from './node/wire-trust.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '1,16' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = values.connections.split(',').map(Number);
const WARM_UP_MS = 1_500;
const REGION = 'eu-central-1';
const AIM = { share: 0.8, megabytes: 80, addedMs: 0.5 };

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of each process for one request, in microseconds. */
  readonly spent: readonly number[];
  /** Cores that others on the machine took meanwhile. */
  readonly others: number;
}

async function measure(child: Child<ClientTold>, pids: readonly number[]): Promise<Figures> {
  try {
    const all = [...pids, child.pid];
    if ((await child.next()) !== 'measuring') throw new Error('expected "measuring" from the clients');
    const before = all.map(readCpuTime);
    const busyBefore = readBusyTime();
    const told = await child.next();
    const after = all.map(readCpuTime);
    const busy = readBusyTime() - busyBefore;
    if (told === 'measuring') throw new Error('expected figures from the clients');
    const differences = all.map((_, index) => (after[index] ?? 0) - (before[index] ?? 0));
    return {
      perSecond: (told.count * 1000) / told.milliseconds,
      p50: median(told.latencies),
      p99: percentile(told.latencies, 0.99),
      spent: differences.map((milliseconds) => (milliseconds * 1000) / told.count),
      others: Math.max(0, busy - differences.reduce((sum, each) => sum + each, 0)) / told.milliseconds,
    };
  } finally {
    await child.end();
  }
}

/** Requests a second of the busiest process, were there a core for each process. */
const bound = ({ spent }: Figures) => 1e6 / Math.max(...spent);

function print(
  name: string,
  { perSecond, p50, p99, spent, others }: Figures,
  parts: readonly string[],
): void {
  const costs = parts.map((part, index) => `${part} ${Math.round(spent[index] ?? Number.NaN)}`).join(', ');
  console.log(
    `  ${name.padEnd(12)} ${String(Math.round(perSecond)).padStart(6)}/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms` +
      `  µs of core: ${costs}  others ${others.toFixed(1)} cores`,
  );
}

async function compare(stack: BenchStack, node: BenchNode): Promise<Record<string, unknown>> {
  const clients = stack.clients.map(({ id, privateKey }) => ({
    id,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  }));
  const { trust } = stack.trust;
  const wire = toWireTrust({ ...trust, pcrs: trust.pcrs as ReadonlyMap<number, Uint8Array> });
  const doorTask: DoorTask = { url: node.url, trust: wire, clients, region: REGION };
  // As JavaScript in one module: a process that strips types itself takes some 50 MB more.
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-door-'));
  const program = join(folder, 'door.mjs');
  await writeFile(program, (await bundleEntry('bench/node/door-process.ts')).code);
  // As the launcher starts it: cli/holdfast.js.
  process.env['MALLOC_ARENA_MAX'] = '1';
  const door = new Child<DoorTold>(pathToFileURL(program).href, doorTask, ['--max-semi-space-size=2']);
  delete process.env['MALLOC_ARENA_MAX'];
  const report: Record<string, unknown> = {};
  try {
    const { port } = await door.next();
    const times = { warmUpMs: WARM_UP_MS, milliseconds: seconds * 1000 };
    for (const count of connections) {
      console.log(`\n${count} connections`);
      const native: Figures[] = [];
      const byKms: Figures[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const nativeTask: NativeTask = { url: node.url, trust: wire, clients, connections: count, ...times };
        const client = new Child<ClientTold>('./native-client-process.ts', nativeTask);
        native.push(await measure(client, [node.enclavePid, node.parentPid]));
        const kmsTask: KmsTask = {
          port,
          region: REGION,
          clients: clients.length,
          connections: count,
          ...times,
        };
        const kms = new Child<ClientTold>('./kms-client-process.ts', kmsTask);
        byKms.push(await measure(kms, [node.enclavePid, node.parentPid, door.pid]));
        print('native', native.at(-1) as Figures, ['enclave', 'parent', 'client']);
        print('KMS', byKms.at(-1) as Figures, ['enclave', 'parent', 'door', 'client']);
      }
      const shares = byKms.map(
        ({ perSecond }, index) => perSecond / (native[index]?.perSecond ?? Number.NaN),
      );
      const added = byKms.map(({ p50 }, index) => p50 - (native[index]?.p50 ?? Number.NaN));
      const bounds = byKms.map((figures, index) => bound(figures) / bound(native[index] ?? figures));
      const memory = readMemory(door.pid);
      report[`${count} connections`] = {
        native,
        byKms,
        share: median(shares),
        shareOfCores: median(bounds),
        addedMs: median(added),
        memory,
      };
      console.log(
        `  of the native client's rate ${median(shares).toFixed(2)} (aim ${AIM.share}); added at the median ${median(added).toFixed(2)} ms` +
          ` (aim ${AIM.addedMs} at one connection); the door: ${memory.resident.toFixed(0)} MB, at the most ${memory.peak.toFixed(0)} (aim ${AIM.megabytes}),` +
          ` of which its own ${memory.anonymous.toFixed(0)}; with a core for each process the busiest one would allow ${median(bounds).toFixed(2)}` +
          ' of the rate that it allows the native client',
      );
    }
  } finally {
    await door.end();
    await rm(folder, { recursive: true });
  }
  return report;
}

pinSelf(OTHER_CORE);
console.log(
  `Node ${process.version}, load ${loadavg()[0]?.toFixed(1)} before, ${canPin ? 'held to cores' : 'not held to cores'}`,
);
const stack = await BenchStack.open({ hasAuditLog: true });
try {
  const node = await stack.start('bundle');
  try {
    const report = await compare(stack, node);
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await node.stop();
  }
} finally {
  await stack.close();
}
