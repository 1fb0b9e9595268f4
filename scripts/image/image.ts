import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { buildEif, type BuiltEif, type EifSigner, memorySource } from '../../attestation/eif/index.ts';
import { packRamdisk } from './compression.ts';
import { type CpioEntry, encodeCpio } from './cpio.ts';
import type { ImageInputs } from './inputs.ts';
import { CMDLINE } from './cmdline.ts';
import type { Ramdisks } from './layout.ts';

export interface ImageOptions {
  /** Path that the image is written to. */
  readonly path: string;
  readonly sign?: EifSigner;
  /** True takes packed ramdisks from the cache; a verification packs them anew. */
  readonly useCache: boolean;
}

/** File of a ramdisk. */
export interface ImageFile {
  readonly ramdisk: keyof Ramdisks;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BuiltImage {
  readonly eif: BuiltEif;
  readonly files: readonly ImageFile[];
  /** Bytes of each part as it lies in the image. */
  readonly parts: Readonly<Record<'kernel' | keyof Ramdisks, number>>;
}

function listFiles(ramdisk: keyof Ramdisks, entries: readonly CpioEntry[]): ImageFile[] {
  return entries
    .filter((entry) => entry.kind === 'file')
    .map(({ path, content }) => {
      const sha256 = createHash('sha256').update(content).digest('hex');
      return { ramdisk, path, bytes: content.length, sha256 };
    });
}

/** Writes an enclave image of the kernel and these ramdisks. The same input gives the same bytes. */
export async function buildImage(
  inputs: ImageInputs,
  ramdisks: Ramdisks,
  options: ImageOptions,
): Promise<BuiltImage> {
  const pack = (entries: readonly CpioEntry[]) => packRamdisk(encodeCpio(entries), options.useCache);
  const kernel = await readFile(inputs.kernel);
  const bootstrap = await pack(ramdisks.bootstrap);
  const runtime = await pack(ramdisks.runtime);
  const program = await pack(ramdisks.program);
  const target = await open(options.path, 'w');
  try {
    const eif = await buildEif(
      {
        kernel: memorySource(kernel),
        cmdline: CMDLINE,
        ramdisks: [bootstrap, runtime, program].map(memorySource),
        // The kernel looks for the next archive at multiples of 4 only.
        padRamdisks: true,
        ...(options.sign === undefined ? {} : { sign: options.sign }),
      },
      { write: async (offset, bytes) => void (await target.write(bytes, 0, bytes.length, offset)) },
    );
    return {
      eif,
      files: [
        ...listFiles('bootstrap', ramdisks.bootstrap),
        ...listFiles('runtime', ramdisks.runtime),
        ...listFiles('program', ramdisks.program),
      ],
      parts: {
        kernel: kernel.length,
        bootstrap: bootstrap.length,
        runtime: runtime.length,
        program: program.length,
      },
    };
  } finally {
    await target.close();
  }
}
