/**
 * `holdfast eif verify` of a 1 GiB image against `sha384sum` of the same file, in one run, each as a whole process, in
 * turn; and the memory that it takes.
 *
 * node bench/eif.ts [--bytes N] [--rounds N] [--folder DIR]
 */
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildEif, type EifSource, memorySource } from '../attestation/eif/index.ts';
import { formatPcrFile } from '../attestation/pcr-file.ts';

const MIB = 1024 * 1024;
const TARGET_RATIO = 1.3;
const COMMAND = new URL('../cli/holdfast.js', import.meta.url).pathname;

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: String(1024 * MIB) },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
  },
});

interface Run {
  readonly seconds: number;
  /** Peaks of memory in MiB. */
  readonly own: number;
  readonly resident: number;
}

/** Runs a command to its end and samples its memory. */
async function measure(command: string, args: readonly string[]): Promise<Run> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let [own, resident] = [0, 0];
  const look = () => {
    const fields = readStatus(child.pid ?? 0);
    own = Math.max(own, (fields['RssAnon'] ?? 0) + (fields['RssShmem'] ?? 0));
    resident = Math.max(resident, fields['VmHWM'] ?? 0);
  };
  const timer = setInterval(look, 10);
  const exit = await new Promise((resolve) => {
    child.once('exit', resolve);
  });
  clearInterval(timer);
  if (exit !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${String(exit)}`);
  return { seconds: (performance.now() - start) / 1000, own: own / 1024, resident: resident / 1024 };
}

/** Reads a process's memory: kibibytes by name. */
function readStatus(pid: number): Record<string, number> {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^(\w+):\s+(\d+) kB$/gm);
    return Object.fromEntries([...lines].map(([, name = '', value]) => [name, Number(value)]));
  } catch {
    return {};
  }
}

/** Source of bytes that are made as they are asked for. */
function randomSource(size: number): EifSource {
  return { size, read: async (_, length) => randomFillSync(new Uint8Array(length)) };
}

async function writeImage(folder: string, size: number) {
  const image = join(folder, 'image.eif');
  await using file = await open(image, 'w');
  const { measurements } = await buildEif(
    {
      kernel: memorySource(randomFillSync(new Uint8Array(12 * MIB))),
      cmdline: 'console=ttyS0',
      // Content that looks packed.
      ramdisks: [memorySource(new Uint8Array(MIB).fill(0x1f)), { ...randomSource(size - 13 * MIB) }],
    },
    { write: async (offset, bytes) => void (await file.write(bytes, 0, bytes.length, offset)) },
  );
  const pcrs = join(folder, 'pcr.json');
  writeFileSync(pcrs, formatPcrFile(measurements));
  return { image, pcrs };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const folder = mkdtempSync(join(values.folder, 'holdfast-bench-eif-'));
try {
  const { image, pcrs } = await writeImage(folder, Number(values.bytes));
  const verify = [COMMAND, 'eif', 'verify', image, '--pcrs', pcrs];
  // Both commands run once uncounted: the file is then in the page cache, the command compiled.
  await measure('sha384sum', [image]);
  await measure(process.execPath, verify);
  const [ours, theirs]: [Run[], Run[]] = [[], []];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    theirs.push(await measure('sha384sum', [image]));
    ours.push(await measure(process.execPath, verify));
  }
  const bare = await measure(process.execPath, ['-e', 'setTimeout(() => {}, 300)']);
  const [eif, sum] = [
    median(ours.map(({ seconds }) => seconds)),
    median(theirs.map(({ seconds }) => seconds)),
  ];
  const own = Math.max(...ours.map((run) => run.own));
  const resident = Math.max(...ours.map((run) => run.resident));
  const size = Number(values.bytes) / MIB;
  console.log(
    [
      `image of ${size} MiB, median of ${values.rounds} rounds, whole processes`,
      `  sha384sum            ${sum.toFixed(2)} s  ${(size / sum).toFixed(0)} MiB/s`,
      `  holdfast eif verify  ${eif.toFixed(2)} s  ${(size / eif).toFixed(0)} MiB/s  (PCR0, PCR1, PCR2, checksum)`,
      `  ratio                ${(eif / sum).toFixed(2)}, aim ${TARGET_RATIO}`,
      `  memory of its own    ${own.toFixed(0)} MiB at the most, aim 64 (resident with Node's own program: ${resident.toFixed(0)} MiB; Node that does nothing: ${bare.own.toFixed(0)} and ${bare.resident.toFixed(0)} MiB)`,
    ].join('\n'),
  );
} finally {
  rmSync(folder, { recursive: true });
}
