import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { describeManifest, type ManifestFile, readManifestFile } from '../common/manifest-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { addManifestPcr, readManifestPcr } from '../common/pcr-json.ts';

const measureCommand: Command = {
  name: 'manifest measure',
  summary: 'Print PCR16 of a manifest, or add it to a pcr.json and leave everything else in it as it is.',
  positionals: 'FILE',
  options: {
    pcrs: { type: 'string', value: 'FILE', description: 'the pcr.json to add PCR16 to' },
    output: { type: 'string', value: 'FILE', description: 'write there instead (default: the same file)' },
    replace: { type: 'boolean', description: 'replace the PCR16 of another manifest' },
  },
  examples: [
    'holdfast manifest measure manifest.json',
    'holdfast manifest measure manifest.json --pcrs pcr.json',
    'holdfast manifest measure manifest.json --pcrs pcr.json --output node-1.pcr.json',
  ],
  async run(input) {
    const { text, flag } = input;
    const pcrs = text('pcrs');
    if (pcrs === undefined && (text('output') !== undefined || flag('replace'))) {
      throw new UsageError('--output and --replace go with --pcrs');
    }
    const file = await readSubject(input);
    const output = pcrs === undefined ? undefined : await addToPcrs(input, pcrs, file.pcr16);
    return {
      ok: true,
      text: output === undefined ? file.pcr16 : `${output}: PCR16 ${file.pcr16}`,
      data: { PCR16: file.pcr16, digest: file.digest, ...(output === undefined ? {} : { output }) },
    };
  },
};

const verifyCommand: Command = {
  name: 'manifest verify',
  summary: 'Read a manifest by the rules of the enclave, say who the node is, and compare its PCR16.',
  positionals: 'FILE',
  options: {
    pcr16: { type: 'string', value: 'HEX', description: 'the PCR16 that is expected' },
    pcrs: { type: 'string', value: 'FILE', description: 'a pcr.json that names it' },
  },
  examples: [
    'holdfast manifest verify manifest.json',
    'holdfast manifest verify manifest.json --pcrs pcr.json',
    'holdfast manifest verify manifest.json --pcr16 0ab1... --json',
  ],
  async run(input) {
    const expected = await readExpected(input);
    const file = await readSubject(input);
    if (expected !== undefined && expected !== file.pcr16) {
      throw new CliError('MANIFEST_PCR_MISMATCH', 'the manifest measures to another PCR16', {
        expected,
        actual: file.pcr16,
      });
    }
    return describeOutcome(file, expected !== undefined);
  },
};

export const commands: readonly Command[] = [measureCommand, verifyCommand];

function readSubject({ positionals: [path = ''], io }: CommandInput): Promise<ManifestFile> {
  return readManifestFile(path, io);
}

async function addToPcrs({ text, flag, io }: CommandInput, pcrs: string, pcr16: string): Promise<string> {
  const output = text('output') ?? pcrs;
  if (output === '-') throw new UsageError('--pcrs from standard input needs --output FILE');
  const file = await readInput(pcrs, io);
  const added = inFile(pcrs, () => addManifestPcr(file, pcr16, { replace: flag('replace') }));
  await writeOutput(output, added);
  return output;
}

async function readExpected({ text, io }: CommandInput): Promise<string | undefined> {
  const [pcr16, pcrs] = [text('pcr16')?.toLowerCase(), text('pcrs')];
  if (pcr16 !== undefined && pcrs !== undefined) throw new UsageError('--pcr16 or --pcrs, not both');
  if (pcr16 !== undefined && !/^[0-9a-f]{96}$/.test(pcr16)) {
    throw new UsageError('--pcr16 is 48 bytes in hex: 96 digits');
  }
  if (pcrs === undefined) return pcr16;
  const file = await readInput(pcrs, io);
  return inFile(pcrs, () => readManifestPcr(file));
}

function describeOutcome(file: ManifestFile, compared: boolean): Outcome {
  return {
    ok: true,
    text: [
      describeManifest(file),
      '',
      compared ? 'verified: PCR16 is the one expected' : 'well formed; compared with nothing',
    ].join('\n'),
    data: { compared, PCR16: file.pcr16, digest: file.digest, manifest: file.manifest },
  };
}
