import { createHash, createPrivateKey } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createLocalSigner } from '../attestation/eif/index.ts';
import { formatPcrFile } from '../attestation/pcr-file.ts';
import { bundleEntry } from './image/bundle.ts';
import { compileBinaries } from './image/compile.ts';
import { describeComponents, describeProvenance } from './image/documents.ts';
import { buildImage } from './image/image.ts';
import { isCompression } from './image/compression.ts';
import { layOutContainer, layOutRamdisks } from './image/layout.ts';
import { encodeTar } from './image/tar.ts';
import { prepareInputs, ROOT } from './image/inputs.ts';

const USAGE = `Builds the enclave image without Docker: kernel, init, Node, the program, and nothing else.
The same commit gives the same bytes, on every machine and day.

Usage: scripts/build-eif [--out DIR] [--entry FILE] [--sign-key PEM --sign-certificate PEM] [--no-cache]
                         [--kernel FILE --modules DIR [--compression gzip]]
       scripts/build-eif --rootfs FILE [--entry FILE]

  --out DIR               where the results go                    (build/image)
  --entry FILE            the program                             (enclave/main.ts)
  --sign-key PEM          P-384 key that signs the image: PCR8
  --sign-certificate PEM  its certificate
  --no-cache              pack everything anew
  --kernel FILE           another kernel than the pinned one, such as nitro-cli's bzImage
  --modules DIR           its modules, as far as they are not built in: nsm.ko
  --compression NAME      zstd, or gzip for a kernel older than 5.9  (zstd)
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

function takeArguments() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(ROOT, 'build/image') },
      entry: { type: 'string', default: join(ROOT, 'enclave/main.ts') },
      'sign-key': { type: 'string' },
      'sign-certificate': { type: 'string' },
      'no-cache': { type: 'boolean', default: false },
      kernel: { type: 'string' },
      modules: { type: 'string' },
      compression: { type: 'string', default: 'zstd' },
      rootfs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if ((values['sign-key'] === undefined) !== (values['sign-certificate'] === undefined)) {
    throw new TypeError('--sign-key and --sign-certificate go together');
  }
  if ((values.kernel === undefined) !== (values.modules === undefined)) {
    throw new TypeError('--kernel and --modules go together');
  }
  if (!isCompression(values.compression)) throw new TypeError('--compression is zstd or gzip');
  return { ...values, compression: values.compression };
}

async function run(): Promise<number> {
  let values: ReturnType<typeof takeArguments>;
  try {
    values = takeArguments();
  } catch (error) {
    console.error(`${String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { 'sign-key': key, 'sign-certificate': certificate } = values;
  const { kernel, modules } = values;
  const inputs = {
    ...prepareInputs(),
    ...(kernel === undefined || modules === undefined ? {} : { kernel, modules }),
  };
  const out = resolve(values.out);
  const entry = resolve(values.entry);
  const bundle = await bundleEntry(entry);
  const ramdisks = layOutRamdisks(inputs, compileBinaries(inputs), bundle.code);
  if (values.rootfs !== undefined) {
    writeFileSync(values.rootfs, encodeTar(layOutContainer(ramdisks)));
    return 0;
  }
  mkdirSync(out, { recursive: true });
  const path = join(out, 'enclave.eif');
  const image = await buildImage(inputs, ramdisks, {
    compression: values.compression,
    path: `${path}.part`,
    useCache: !values['no-cache'],
    ...(key === undefined || certificate === undefined
      ? {}
      : { sign: createLocalSigner(createPrivateKey(readFileSync(key)), readFileSync(certificate)) }),
  });
  renameSync(`${path}.part`, path);

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
  const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  console.log(`${path}  ${mebibytes(image.eif.size)}`);
  for (const [name, bytes] of Object.entries(image.parts))
    console.log(`  ${name.padEnd(10)} ${mebibytes(bytes)}`);
  for (const [name, value] of Object.entries(measurements)) console.log(`  ${name.padEnd(10)} ${value}`);
  return 0;
}

process.exitCode = await run();
