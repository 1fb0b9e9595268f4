import {
  assertBootable,
  buildEif,
  DEFAULT_METADATA,
  describeEif,
  type EifMetadata,
  type EifSigner,
  verifyEif,
} from '../../attestation/eif/index.ts';
import { formatPcrFile } from '../../attestation/pcr-file.ts';
import { parseJson } from '../../shared/json/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { inFileLater } from '../common/in-file.ts';
import { readPcrFile } from '../common/trust-files.ts';
import { AWS_OPTIONS } from '../common/aws.ts';
import { openFileSink, openFileSource } from './file.ts';
import { describeAsData, describeAsText, measurementsAsText, measurementsOf, warnings } from './report.ts';
import { startHashWorker } from './hash-worker.ts';
import { openSigner } from './signer.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';
import { createProgress } from '../common/progress.ts';

/** Maximum of nitro-cli. */
const MAX_CUSTOM_METADATA_BYTES = 4096;

const describeCommand: Command = {
  name: 'eif describe',
  summary: 'Print what an image holds and measures, or refuse it when two readers could differ about it.',
  positionals: 'FILE',
  options: {},
  examples: ['holdfast eif describe enclave.eif', 'holdfast eif describe enclave.eif --json > pcr.json'],
  async run({ positionals: [path = ''], io }) {
    const description = await readImage(path, io, describeEif);
    return { ok: true, text: describeAsText(description, new Date()), data: describeAsData(description) };
  },
};

const verifyCommand: Command = {
  name: 'eif verify',
  summary: 'Measure an image and compare it with a pcr.json.',
  positionals: 'FILE',
  options: {
    pcrs: {
      type: 'string',
      value: 'FILE',
      required: true,
      setting: 'pcrs',
      description: 'the pcr.json that is expected',
    },
    at: {
      type: 'string',
      value: 'TIME',
      description: 'when the signing certificate has to be valid: ISO 8601, or "any" (default: now)',
    },
  },
  examples: [
    'holdfast eif verify enclave.eif --pcrs pcr.json',
    'holdfast eif verify enclave.eif --pcrs pcr.json --at 2026-11-01T00:00:00Z',
  ],
  async run({ positionals: [path = ''], text, io }) {
    const expected = await readPcrFile(text('pcrs') ?? '', io);
    const at = parseTime(text('at') ?? 'now');
    const verified = await readImage(path, io, (source, options) =>
      verifyEif(source, expected, at === undefined ? options : { ...options, at }),
    );
    const notCompared = verified.notCompared.map((index) => `PCR${index}`).join(', ');
    return {
      ok: true,
      text: [
        `verified: ${verified.matched.map((index) => `PCR${index}`).join(', ')} are as expected`,
        ...(notCompared === '' ? [] : [`not decided by an image, so not compared: ${notCompared}`]),
        ...warnings(verified),
      ].join('\n'),
      data: {
        matched: verified.matched,
        notCompared: verified.notCompared,
        ...describeAsData(verified),
      },
    };
  },
};

const buildCommand: Command = {
  name: 'eif build',
  summary: 'Write an image. The same parts give the same bytes, signed or not.',
  positionals: '',
  options: {
    kernel: { type: 'string', value: 'FILE', required: true, description: 'bzImage, or Image for aarch64' },
    cmdline: { type: 'string', value: 'TEXT', required: true, description: 'command line of the kernel' },
    ramdisk: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      required: true,
      description:
        'cpio archive, packed or not; the first is bootstrap (PCR1), the others application (PCR2)',
    },
    output: { type: 'string', value: 'FILE', required: true, description: 'the image' },
    'pcrs-out': { type: 'string', value: 'FILE', description: 'write the measurements as pcr.json too' },
    arch: { type: 'string', value: 'ARCH', description: 'x86_64 (default) or aarch64' },
    'signing-certificate': {
      type: 'string',
      value: 'PEM',
      description: 'certificate on P-384 (P-256 and P-521 are taken too), for PCR8',
    },
    'private-key': {
      type: 'string',
      value: 'KEY',
      description: "the certificate's key: a PEM file, or the ARN of a key in KMS",
    },
    'kms-region': {
      type: 'string',
      value: 'REGION',
      description: '--private-key is the id or alias of a key in KMS there',
    },
    ...AWS_OPTIONS,
    'pad-ramdisks': {
      type: 'boolean',
      description: 'fill ramdisks with zeros to a multiple of 4 bytes, which are measured',
    },
    name: { type: 'string', value: 'TEXT', description: 'image name, not attested' },
    version: { type: 'string', value: 'TEXT', description: 'image version, not attested' },
    'build-time': { type: 'string', value: 'TIME', description: 'not attested (default: 1970)' },
    'kernel-version': { type: 'string', value: 'TEXT', description: 'not attested' },
    metadata: { type: 'string', value: 'FILE', description: 'JSON of your own, not attested' },
  },
  examples: [
    'holdfast eif build --kernel bzImage --cmdline "console=ttyS0" --ramdisk init.cpio.gz --ramdisk app.cpio.gz \\',
    '      --output enclave.eif --pcrs-out pcr.json',
    'holdfast eif build … --signing-certificate certificate.pem \\',
    '      --private-key arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ],
  run: runBuild,
};

export const eifCommands: readonly Command[] = [describeCommand, verifyCommand, buildCommand];

type Reader<Result> = (
  source: Parameters<typeof describeEif>[0],
  options: NonNullable<Parameters<typeof describeEif>[1]>,
) => Promise<Result>;

async function readImage<Result>(
  path: string,
  io: CommandInput['io'],
  read: Reader<Result>,
): Promise<Result> {
  await using source = await openFileSource(path);
  await using hashWorker = startHashWorker(source.size);
  const progress = createProgress(io, 'measuring');
  try {
    const options = { hashWorker, onProgress: progress.update, signal: io.signal };
    return await inFileLater(path, () => read(source, options));
  } finally {
    progress.finish();
  }
}

async function runBuild(input: CommandInput) {
  const { text, texts, flag, io } = input;
  const architecture = text('arch') ?? 'x86_64';
  if (architecture !== 'x86_64' && architecture !== 'aarch64') {
    throw new UsageError('--arch is x86_64 or aarch64');
  }
  const sign = await readSigner(input);
  const metadata = await readMetadata(text, io);
  await using files = new AsyncDisposableStack();
  const open = async (path: string) => files.use(await openFileSource(path));
  const kernel = await open(text('kernel') ?? '');
  const ramdisks = await Promise.all(texts('ramdisk').map(open));
  await assertBootable({ kernel, ramdisks, architecture });
  const output = text('output') ?? '';
  const pcrsOut = text('pcrs-out');
  if (pcrsOut !== undefined) await assertWritable(pcrsOut);
  const sink = files.use(await openFileSink(output));
  const total = [kernel, ...ramdisks].reduce((sum, { size }) => sum + size, 0);
  const hashWorker = files.use(startHashWorker(total));
  const progress = createProgress(io, 'writing');
  const built = await buildEif(
    {
      kernel,
      cmdline: text('cmdline') ?? '',
      ramdisks,
      architecture,
      metadata,
      padRamdisks: flag('pad-ramdisks'),
      ...(sign === undefined ? {} : { sign }),
    },
    sink,
    { hashWorker, onProgress: progress.update, signal: io.signal },
  ).finally(progress.finish);
  await sink.commit();
  if (pcrsOut !== undefined) await writeOutput(pcrsOut, formatPcrFile(built.measurements));
  return {
    ok: true,
    text: `${output}: ${built.size} bytes\n\n${measurementsAsText(built.measurements, ramdisks.length === 1)}`,
    data: { output, size: built.size, Measurements: measurementsOf(built.measurements) },
  };
}

async function readSigner(input: CommandInput): Promise<EifSigner | undefined> {
  const [certificate, key, region] = ['signing-certificate', 'private-key', 'kms-region'].map(input.text);
  if (certificate === undefined && key === undefined && region === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new UsageError('--signing-certificate and --private-key go together');
  }
  return await openSigner({ key, certificate, region }, input);
}

async function readMetadata(text: CommandInput['text'], io: CommandInput['io']): Promise<EifMetadata> {
  const path = text('metadata');
  const custom =
    path === undefined
      ? DEFAULT_METADATA.CustomMetadata
      : parseJson(await readInput(path, io, MAX_CUSTOM_METADATA_BYTES), {
          maxBytes: MAX_CUSTOM_METADATA_BYTES,
          maxDepth: 16,
        });
  const build = DEFAULT_METADATA.BuildMetadata;
  return {
    ...DEFAULT_METADATA,
    ImageName: text('name') ?? DEFAULT_METADATA.ImageName,
    ImageVersion: text('version') ?? DEFAULT_METADATA.ImageVersion,
    BuildMetadata: {
      ...build,
      BuildTime: text('build-time') ?? build.BuildTime,
      KernelVersion: text('kernel-version') ?? build.KernelVersion,
    },
    CustomMetadata: custom,
  };
}

/** Parses a time; undefined where any time will do. */
function parseTime(value: string): Date | undefined {
  if (value === 'any') return undefined;
  const time = value === 'now' ? new Date() : new Date(value);
  if (Number.isNaN(time.getTime())) throw new UsageError(`"${value}" is no time in ISO 8601`);
  return time;
}
