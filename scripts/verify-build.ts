import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { explainDifference } from './image/difference.ts';
import type { ImageFile } from './image/image.ts';
import { ROOT } from './image/inputs.ts';

const USAGE = `Rebuilds the enclave image from this checkout and compares it with one that was built before.

Usage: scripts/verify-build [DIR] [--entry FILE]

  DIR   what scripts/build-eif wrote: enclave.eif, pcr.json, image-files.json   (build/image)

Exit 0: the same bytes. 1: they differ, and the files within the image that do are named. 2: usage.
A signature (PCR8) cannot be rebuilt without its key: give the unsigned image.
`;

/** The parts of an image's report that say what is in it. */
interface Report {
  readonly files: readonly ImageFile[];
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function compare(given: string, rebuilt: string): string[] {
  const differing = readdirSync(rebuilt).filter(
    (name) => digest(join(given, name)) !== digest(join(rebuilt, name)),
  );
  if (differing.length === 0) return [];
  const read = (folder: string) =>
    JSON.parse(readFileSync(join(folder, 'image-files.json'), 'utf8')) as Report;
  const within = explainDifference(read(given).files, read(rebuilt).files);
  return [
    ...differing.map((name) => `${name} differs`),
    ...(within.length === 0
      ? ['no file within differs: the kernel, its command line or the packing does']
      : within),
  ];
}

function run(): number {
  let folder: string;
  let entry: string | undefined;
  try {
    const { values, positionals } = parseArgs({
      options: { entry: { type: 'string' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new TypeError('one folder at most');
    folder = resolve(positionals[0] ?? join(ROOT, 'build/image'));
    entry = values.entry;
  } catch (error) {
    console.error(`${String(error)}\n\n${USAGE}`);
    return 2;
  }
  const rebuilt = mkdtempSync(join(tmpdir(), 'holdfast-rebuilt-'));
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'scripts/build-eif.ts'),
        '--no-cache',
        '--out',
        rebuilt,
        ...(entry === undefined ? [] : ['--entry', entry]),
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    if (status !== 0) throw new Error('the image cannot be built here');
    const lines = compare(folder, rebuilt);
    console.log(
      lines.length === 0
        ? `the same bytes: sha256 ${digest(join(rebuilt, 'enclave.eif'))}`
        : lines.join('\n'),
    );
    return lines.length === 0 ? 0 : 1;
  } finally {
    rmSync(rebuilt, { recursive: true });
  }
}

process.exitCode = run();
