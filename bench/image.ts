import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { tabulateParts } from '../scripts/image/table.ts';
import { findEmulator } from '../test/emulated/harness/emulator.ts';
import { measureBoot } from './node/boot-figures.ts';
import { playRounds, type Start } from './image/rounds.ts';
import { BenchStack } from './node/stack.ts';
import { median } from './node/statistics.ts';

const USAGE = `node bench/image.ts [--rounds N] [--memory MIB] [--without-process]

The image: its size by part, its start from the machine's first instruction to the first signature, and its memory, in the
emulator; beside an image that does nothing, and beside the same program as a process of this machine.
Needs the emulated host, which scripts/emulated-host.sh makes once.`;

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
const ratio = (value: number, floor: number): string => (value / floor).toFixed(2);
const milliseconds = (value: number): string => `${Math.round(value)} ms`;

function print(starts: readonly Start[]): { ready: number } {
  const of = (image: Start['image'], pick: (start: Start) => number | undefined): number =>
    median(starts.filter((start) => start.image === image).map((start) => pick(start) ?? Number.NaN));
  const time = (name: string) => of('node', ({ times }) => times[name]);
  const [empty, ready] = [of('empty', (start) => start.ready), of('node', (start) => start.ready)];
  const rsaKey = time('rsaKey');
  const rows: [string, string, string][] = [
    ['', 'empty image', 'node'],
    [
      'machine → heartbeat, the last act of init before Node',
      milliseconds(of('empty', (start) => start.heartbeat)),
      milliseconds(of('node', (start) => start.heartbeat)),
    ],
    ['machine → ready', milliseconds(empty), milliseconds(ready)],
    [
      '  processor time to heartbeat',
      milliseconds(of('empty', (start) => start.cpu.heartbeat)),
      milliseconds(of('node', (start) => start.cpu.heartbeat)),
    ],
    [
      '  processor time to ready',
      milliseconds(of('empty', (start) => start.cpu.ready)),
      milliseconds(of('node', (start) => start.cpu.ready)),
    ],
    ['  of it: program loaded by Node', '', milliseconds(time('program'))],
    ...['starting', 'measuring', 'configuring', 'unlocking', 'serving'].map(
      (name): [string, string, string] => [`  boot begins → ${name}`, '', milliseconds(time(name))],
    ),
    ['  boot begins → RSA key, beside the others', '', milliseconds(time('rsaKey'))],
    ['machine → first signature', '', milliseconds(of('node', ({ signed }) => signed))],
    ['  of it: the request itself', '', milliseconds(of('node', ({ signMs }) => signMs))],
    [
      'Node at its peak',
      mebibytes(of('empty', ({ peakBytes }) => peakBytes)),
      mebibytes(of('node', ({ peakBytes }) => peakBytes)),
    ],
    [
      'the machine when ready',
      mebibytes(of('empty', ({ usedBytes }) => usedBytes)),
      mebibytes(of('node', ({ usedBytes }) => usedBytes)),
    ],
  ];
  for (const [what, left, right] of rows)
    console.log(`${what.padEnd(56)}${left.padStart(12)}${right.padStart(12)}`);
  const cpu = {
    empty: of('empty', (start) => start.cpu.ready),
    node: of('node', (start) => start.cpu.ready),
  };
  console.log(
    `\nbeside the empty image, to ready: time ${ratio(ready, empty)}, processor ${ratio(cpu.node, cpu.empty)}`,
  );
  console.log(`the same without the RSA key: time ${ratio(ready - rsaKey, empty)}`);
  return { ready };
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      memory: { type: 'string', default: '256' },
      'without-process': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const emulator = findEmulator();
  if (emulator === undefined) {
    console.error(USAGE);
    return 3;
  }
  const [rounds, memoryMiB] = [Number(values.rounds), Number(values.memory)];
  const loadBefore = loadavg()[0] ?? 0;
  const { starts, image } = await playRounds(emulator, { rounds, memoryMiB });
  console.log(`${tabulateParts(image)}\n`);
  console.log(
    `medians of ${rounds} starts each, in turn, ${memoryMiB} MiB, one emulated CPU; load before: ${loadBefore}\n`,
  );
  const { ready } = print(starts);
  if (values['without-process']) return 0;
  const stack = await BenchStack.open();
  try {
    const { parts } = await measureBoot(stack, 'bundle', { rounds, nodeOptions: [] });
    const serving = parts['serving'] ?? Number.NaN;
    console.log(
      `as a process of this machine: ready ${milliseconds(serving)} after its start: ${(ready / serving).toFixed(0)} times`,
    );
  } finally {
    await stack.close();
  }
  return 0;
}

process.exitCode = await run();
