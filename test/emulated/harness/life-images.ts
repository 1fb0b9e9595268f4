import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { buildEif, type EifMeasurements, memorySource } from '../../../attestation/eif/index.ts';
import { formatPcrFile } from '../../../attestation/index.ts';
import { startLocalAws } from '../../../local/testbed/local-aws.ts';
import { bundleEntry } from '../../../scripts/image/bundle.ts';
import { CMDLINE } from '../../../scripts/image/cmdline.ts';
import type { Binaries } from '../../../scripts/image/compile.ts';
import { packRamdisk } from '../../../scripts/image/compression.ts';
import { type CpioEntry, encodeCpio } from '../../../scripts/image/cpio.ts';
import { buildImage } from '../../../scripts/image/image.ts';
import { prepareInputs } from '../../../scripts/image/inputs.ts';
import { layOutRamdisks, type Ramdisks } from '../../../scripts/image/layout.ts';
import type { LifeImage } from '../programs/life-steps.ts';

const PROGRAM = join(import.meta.dirname, '../programs/enclave-node.ts');
/** Words of the command line that the repacked image has in the kernel's file, where the kernel does not see them. */
const HIDDEN_FROM_KERNEL = CMDLINE.slice(0, CMDLINE.indexOf('console='));

const file = (path: string, content: Uint8Array | string): CpioEntry => ({
  path,
  kind: 'file',
  content: Buffer.from(content),
});

export interface LifeImages {
  /** `without-nsm` is no image but the ramdisks of the first one, for a machine that has no NSM. */
  readonly pathOf: (image: LifeImage) => string;
  readonly measurements: ReadonlyMap<LifeImage, EifMeasurements>;
  /** Files that guest 3 needs: the stand-in's authority, and the PCRs of each image. */
  readonly guestFiles: readonly CpioEntry[];
}

/**
 * Builds the images of a node's life into a folder. They are the real one but for the authority that may speak for KMS,
 * which is the stand-in's, and for the size of their writes.
 */
export async function buildLifeImages(folder: string, binaries: Binaries): Promise<LifeImages> {
  const inputs = prepareInputs();
  const { roots, state } = await makeAuthority(join(folder, 'aws'));
  const { code } = await bundleEntry(PROGRAM);
  const layOut = (suffix = ''): Ramdisks => {
    const ramdisks = layOutRamdisks(inputs, binaries, Buffer.concat([code, Buffer.from(suffix)]));
    return { ...ramdisks, program: [...ramdisks.program, file('app/kms-roots.pem', roots)] };
  };
  const pathOf = (image: LifeImage) => join(folder, image === 'without-nsm' ? 'ramdisks' : `${image}.eif`);
  const build = async (image: LifeImage, ramdisks: Ramdisks) =>
    (await buildImage(inputs, ramdisks, { path: pathOf(image), useCache: true })).eif.measurements;

  const first = layOut();
  const measurements = new Map<LifeImage, EifMeasurements>([
    ['first', await build('first', first)],
    // Another measurement of the same program.
    ['second', await build('second', layOut('\n// the next release\n'))],
    ['repacked', await repack(pathOf('repacked'), inputs.kernel, first)],
  ]);
  writeFileSync(pathOf('without-nsm'), Buffer.concat((await packAll(first)).flatMap(padTo4)));
  const pcrFiles = [...measurements].map(([image, pcrs]) =>
    file(`app/${image}.pcr.json`, formatPcrFile(pcrs)),
  );
  return { pathOf, measurements, guestFiles: [...state, ...pcrFiles] };
}

async function packAll({ bootstrap, runtime, program }: Ramdisks): Promise<Uint8Array[]> {
  const packed = [];
  for (const entries of [bootstrap, runtime, program])
    packed.push(await packRamdisk(encodeCpio(entries), true));
  return packed;
}

/** The kernel looks for the next archive at multiples of 4 only. */
function padTo4(archive: Uint8Array): Uint8Array[] {
  return [archive, new Uint8Array((4 - (archive.length % 4)) % 4)];
}

/**
 * Repacks an image: the same bytes in the same order, with the border between kernel and command line elsewhere, and so
 * with the same PCRs.
 */
async function repack(path: string, kernelPath: string, ramdisks: Ramdisks): Promise<EifMeasurements> {
  const target = await open(path, 'w');
  try {
    const { measurements } = await buildEif(
      {
        kernel: memorySource(Buffer.concat([readFileSync(kernelPath), Buffer.from(HIDDEN_FROM_KERNEL)])),
        cmdline: CMDLINE.slice(HIDDEN_FROM_KERNEL.length),
        ramdisks: (await packAll(ramdisks)).map(memorySource),
        padRamdisks: true,
      },
      { write: async (offset, bytes) => void (await target.write(bytes, 0, bytes.length, offset)) },
    );
    return measurements;
  } finally {
    await target.close();
  }
}

/** Makes the authority of the stand-in for AWS, which both the image and the stand-in's guest get. */
async function makeAuthority(stateDirectory: string): Promise<{ roots: string; state: CpioEntry[] }> {
  mkdirSync(stateDirectory);
  const aws = await startLocalAws({
    stateDirectory,
    verifyRecipient: () => {
      throw new TypeError('expected no request to this stand-in');
    },
  });
  await aws.close();
  // Folders of buckets and functions are beside its files, and empty.
  const files = readdirSync(stateDirectory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => file(`app/aws/${name}`, readFileSync(join(stateDirectory, name))));
  return { roots: aws.caPem, state: [{ path: 'app/aws', kind: 'directory' }, ...files] };
}
