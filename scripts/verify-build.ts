import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { describeEif, type EifDescription } from '../attestation/eif/index.ts';
import { UsageError } from '../cli/common/command.ts';
import { openFileSource } from '../cli/eif/file.ts';
import { ImageError } from './image/errors.ts';
import { explainDifference } from './image/difference.ts';
import type { ImageFile } from './image/image.ts';
import { ROOT } from './image/inputs.ts';
import { runScript } from './image/run-script.ts';

const USAGE = `Rebuilds the enclave image from this checkout and compares it with one that was built before.

Usage: scripts/verify-build [DIR] [--entry FILE] [--cache]

  DIR      what scripts/build-eif wrote: enclave.eif, pcr.json, image-files.json   (build/image)
  --cache  trust the kernel that was built and what was packed before, instead of making it anew: minutes less

Exit 0: the same bytes. 1: they differ, and the files within the image that do are named. 2: usage.
Nobody but its key can make a signature again: that of a signed image is put into the rebuilt one, verified there, and
everything else is compared. Who signed is for you to decide: the output names the certificate and PCR8.
`;

/** Parts of an image's report that say what is in it. */
interface Report {
  readonly files: readonly ImageFile[];
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function compare(given: string, rebuilt: string): string[] {
  const existing = new Set(readdirSync(given));
  const differing = readdirSync(rebuilt).filter(
    (name) => !existing.has(name) || digest(join(given, name)) !== digest(join(rebuilt, name)),
  );
  if (differing.length === 0) return [];
  const read = (folder: string) =>
    JSON.parse(readFileSync(join(folder, 'image-files.json'), 'utf8')) as Report;
  const within = existing.has('image-files.json')
    ? explainDifference(read(given).files, read(rebuilt).files)
    : [];
  return [
    ...differing.map((name) => `${name} ${existing.has(name) ? 'differs' : 'is missing'}`),
    ...(within.length === 0
      ? ['no file within differs: the kernel, its command line, the signature or the packing does']
      : within),
  ];
}

function takeArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        entry: { type: 'string' },
        cache: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new TypeError('expected one folder at most');
    return { ...values, folder: resolve(positionals[0] ?? join(ROOT, 'build/image')) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Describes the given image, or refuses it: two readers could differ about it, or its signature is not good. */
async function describe(path: string): Promise<EifDescription> {
  await using source = await openFileSource(path);
  return await describeEif(source);
}

async function verify({ folder, entry, cache }: ReturnType<typeof takeArguments>): Promise<number> {
  const image = join(folder, 'enclave.eif');
  const { signature } = await describe(image);
  const rebuilt = mkdtempSync(join(tmpdir(), 'holdfast-rebuilt-'));
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'scripts/build-eif.ts'),
        ...(cache ? [] : ['--no-cache']),
        ...(signature === undefined ? [] : ['--signature-of', image]),
        ...(entry === undefined ? [] : ['--entry', entry]),
        `--out=${rebuilt}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    if (status !== 0) throw new ImageError('IMAGE_NOT_BUILT', 'the image cannot be built here, see above');
    const lines = compare(folder, rebuilt);
    if (lines.length > 0) {
      console.log(lines.join('\n'));
      return 1;
    }
    console.log(`the same bytes: sha256 ${digest(image)}`);
    if (signature !== undefined) {
      const { subject, notAfter } = signature.certificate;
      console.log(
        `the signature was not made again but taken over, and is good: by ${subject}, valid to ${notAfter.toISOString()}\n` +
          `PCR8 ${Buffer.from(signature.measurement).toString('hex')}`,
      );
    }
    return 0;
  } finally {
    rmSync(rebuilt, { recursive: true });
  }
}

process.exitCode = await runScript(USAGE, async () => {
  const values = takeArguments();
  if (!values.help) return await verify(values);
  console.log(USAGE);
  return 0;
});
