import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { buildEif, type BuiltEif, type EifSigner, memorySource } from '../../attestation/eif/index.ts';
import { bundleEntry, type Bundle } from './bundle.ts';
import { compileBinaries } from './compile.ts';
import { packRamdisk } from './compression.ts';
import { type CpioEntry, encodeCpio } from './cpio.ts';
import { type ImageInputs } from './inputs.ts';
import { CMDLINE, layOutBootstrap, layOutProgram, layOutRuntime } from './layout.ts';
import { readFile } from 'node:fs/promises';

export interface ImageOptions {
  /** The program, a file of the project. */
  readonly entry: string;
  /** Where the image is written to. */
  readonly path: string;
  readonly sign?: EifSigner;
  /** Take packed ramdisks from the cache; a verification packs them anew. */
  readonly useCache: boolean;
}

/** One file of a ramdisk. */
export interface ImageFile {
  readonly ramdisk: 'bootstrap' | 'runtime' | 'program';
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BuiltImage {
  readonly eif: BuiltEif;
  readonly bundle: Bundle;
  readonly files: readonly ImageFile[];
  /** Bytes of each part as it lies in the image. */
  readonly parts: Readonly<Record<'kernel' | ImageFile['ramdisk'], number>>;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function listFiles(ramdisk: ImageFile['ramdisk'], entries: readonly CpioEntry[]): ImageFile[] {
  return entries
    .filter((entry) => entry.kind === 'file')
    .map(({ path, content }) => ({ ramdisk, path, bytes: content.length, sha256: sha256(content) }));
}

/** Builds an enclave image from the pinned inputs and a program. The same inputs and program give the same bytes. */
export async function buildImage(inputs: ImageInputs, options: ImageOptions): Promise<BuiltImage> {
  const bundle = await bundleEntry(options.entry);
  const binaries = compileBinaries(inputs);
  const layouts = {
    bootstrap: layOutBootstrap(inputs, binaries),
    runtime: layOutRuntime(inputs, binaries),
    program: layOutProgram(binaries, bundle.code),
  };
  const kernel = await readFile(inputs.kernel);
  const bootstrap = await packRamdisk(encodeCpio(layouts.bootstrap), options.useCache);
  const runtime = await packRamdisk(encodeCpio(layouts.runtime), options.useCache);
  const program = await packRamdisk(encodeCpio(layouts.program), options.useCache);
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
      bundle,
      files: Object.entries(layouts).flatMap(([ramdisk, entries]) =>
        listFiles(ramdisk as ImageFile['ramdisk'], entries),
      ),
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
