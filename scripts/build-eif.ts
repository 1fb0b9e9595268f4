import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createReplayingSigner, describeEif, EifError, type EifSigner } from '../attestation/eif/index.ts';
import { formatPcrFile } from '../attestation/pcr-file.ts';
import { UsageError } from '../cli/common/command.ts';
import { openFileSource } from '../cli/eif/file.ts';
import { openSigner } from '../cli/eif/signer.ts';
import { bundleEntry } from './image/bundle.ts';
import { compileBinaries } from './image/compile.ts';
import { describeComponents, describeProvenance } from './image/documents.ts';
import { buildImage } from './image/image.ts';
import { layOutContainer, layOutRamdisks } from './image/layout.ts';
import { encodeTar } from './image/tar.ts';
import { type ImageInputs, prepareInputs, ROOT } from './image/inputs.ts';
import { lockPath, PINNED_LOCK } from './image/lock.ts';
import { tabulateParts } from './image/table.ts';
import { runScript } from './image/run-script.ts';

const USAGE = `Builds the enclave image without Docker: kernel, init, Node, the program, and nothing else.
The same commit gives the same bytes, on every machine and day.

Usage: scripts/build-eif [--out DIR] [--entry FILE] [--sign-key KEY --sign-certificate PEM] [--no-cache]
       scripts/build-eif --rootfs FILE [--entry FILE]

  --out DIR               where the results go                    (build/image)
  --entry FILE            the program                             (enclave/main.ts)
  --sign-key KEY          signs the image, for PCR8: a PEM file (P-384; P-256 and P-521 are taken too),
                          or the ARN of a key in KMS
  --sign-certificate PEM  the key's certificate, valid now
  --sign-region REGION    --sign-key is the id or alias of a key in KMS there
  --profile, --endpoint, --ca   how KMS is reached, as for the commands of holdfast
  --signature-of EIF      put the signature of that image into this one, if it fits: how to rebuild without the key
  --no-cache              believe nothing that was made before: hold packages and node_modules against the lock files,
                          unpack, build and pack everything anew
  --keep DIR              with --no-cache: what was unpacked and built anew stays there, as inputs/ and kernel/
  --rootfs FILE           write the root file system alone, as a tar archive for docker/Dockerfile

Results: enclave.eif, pcr.json, image-files.json (every file with its size and digest), sbom.cdx.json, provenance.json
`;

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

const STRING = { type: 'string' } as const;

function takeArguments() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        out: { type: 'string', default: join(ROOT, 'build/image') },
        entry: { type: 'string', default: join(ROOT, 'enclave/main.ts') },
        'sign-key': STRING,
        'sign-certificate': STRING,
        'sign-region': STRING,
        profile: STRING,
        endpoint: STRING,
        ca: STRING,
        'signature-of': STRING,
        'no-cache': { type: 'boolean', default: false },
        keep: STRING,
        rootfs: STRING,
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const isSigned = values['sign-key'] !== undefined;
  if (isSigned !== (values['sign-certificate'] !== undefined)) {
    throw new UsageError('--sign-key and --sign-certificate go together');
  }
  if (isSigned && values['signature-of'] !== undefined) {
    throw new UsageError('--sign-key and --signature-of exclude each other');
  }
  if (values.keep !== undefined && !values['no-cache']) throw new UsageError('--keep takes --no-cache');
  return values;
}

type Arguments = ReturnType<typeof takeArguments>;

async function readSigner(values: Arguments): Promise<EifSigner | undefined> {
  const { 'sign-key': key, 'sign-certificate': certificate, 'signature-of': signed } = values;
  if (key !== undefined && certificate !== undefined) {
    const texts = new Map<string, string | boolean | undefined>(Object.entries(values));
    const text = (option: string) => texts.get(option)?.toString();
    const { stdin, stdout, stderr } = process;
    const io = { stdin, stdout, stderr, signal: new AbortController().signal };
    return await openSigner({ key, certificate, region: values['sign-region'] }, { text, io });
  }
  if (signed === undefined) return undefined;
  await using source = await openFileSource(signed);
  const { signature } = await describeEif(source);
  if (signature === undefined) throw new UsageError(`${signed} is not signed`);
  return createReplayingSigner(signature.section);
}

async function build(values: Arguments): Promise<void> {
  const lock = lockPath();
  if (lock !== PINNED_LOCK)
    console.error(`UNPINNED: made from ${lock}, not docker/inputs.lock; its PCRs are nobody else’s`);
  const signer = await readSigner(values);
  const work =
    values.keep === undefined ? mkdtempSync(join(tmpdir(), 'holdfast-build-')) : resolve(values.keep);
  try {
    mkdirSync(work, { recursive: true });
    await buildFrom(prepareInputs(values['no-cache'] ? work : undefined), signer, values);
  } finally {
    if (values.keep === undefined) rmSync(work, { recursive: true });
  }
}

async function buildFrom(
  inputs: ImageInputs,
  signer: EifSigner | undefined,
  values: Arguments,
): Promise<void> {
  const out = resolve(values.out);
  const entry = resolve(values.entry);
  const bundle = await bundleEntry(entry);
  const ramdisks = layOutRamdisks(inputs, compileBinaries(inputs), bundle.code);
  if (values.rootfs !== undefined) {
    writeFileSync(values.rootfs, encodeTar(layOutContainer(ramdisks)));
    return;
  }
  mkdirSync(out, { recursive: true });
  const path = join(out, 'enclave.eif');
  const temporary = `${path}.part`;
  const write = (sign: EifSigner | undefined) =>
    buildImage(inputs, ramdisks, {
      path: temporary,
      useCache: !values['no-cache'],
      ...(sign === undefined ? {} : { sign }),
    });
  const image = await write(signer).catch(async (error: unknown) => {
    const isOther = error instanceof EifError && error.code === 'EIF_SIGNATURE_PAYLOAD';
    if (!isOther) rmSync(temporary, { force: true });
    if (!isOther || values['signature-of'] === undefined) throw error;
    console.error('the signature is of another image: this one stays unsigned');
    return await write(undefined);
  });
  renameSync(temporary, path);

  const pcrFile = formatPcrFile(image.eif.measurements);
  writeFileSync(join(out, 'pcr.json'), pcrFile);
  const { HashAlgorithm: _, ...measurements } = (
    JSON.parse(pcrFile) as { Measurements: Record<string, string> }
  ).Measurements;
  const identity = { sha256: await sha256OfFile(path), measurements };
  writeJson(join(out, 'image-files.json'), { bytes: image.eif.size, parts: image.parts, files: image.files });
  writeJson(join(out, 'sbom.cdx.json'), describeComponents(inputs, bundle, identity));
  writeJson(
    join(out, 'provenance.json'),
    describeProvenance(relative(ROOT, entry), inputs, bundle, identity),
  );
  console.log(`${path}\n${tabulateParts(image)}`);
  for (const [name, value] of Object.entries(measurements)) console.log(`${name}  ${value}`);
}

process.exitCode = await runScript(USAGE, async () => {
  const values = takeArguments();
  if (values.help) console.log(USAGE);
  else await build(values);
  return 0;
});
