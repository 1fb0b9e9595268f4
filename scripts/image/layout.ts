import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './compile.ts';
import { type CpioEntry, type CpioFile } from './cpio.ts';
import type { ImageInputs } from './inputs.ts';

const LIBRARY_FOLDER = 'usr/lib/x86_64-linux-gnu';
const LOADER = 'ld-linux-x86-64.so.2';
/** Libraries that Node's dynamic section names. */
const LIBRARIES = [
  'libatomic.so.1',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libstdc++.so.6',
];

function file(path: string, content: Uint8Array, isExecutable = false): CpioFile {
  return { path, kind: 'file', content, isExecutable };
}

function folders(...paths: string[]): CpioEntry[] {
  return paths.map((path) => ({ path, kind: 'directory' }));
}

/** Ramdisks in the order in which the kernel unpacks them. */
export interface Ramdisks {
  /** Ramdisk of init; measured into PCR1, with the kernel. */
  readonly bootstrap: readonly CpioEntry[];
  /** Ramdisk of Node and its libraries; measured into PCR2. */
  readonly runtime: readonly CpioEntry[];
  /** Ramdisk of the program; measured into PCR2 too. */
  readonly program: readonly CpioEntry[];
}

/** Lays out an image for one program, `code`, as a single ES module. */
export function layOutRamdisks(inputs: ImageInputs, binaries: Binaries, code: Uint8Array): Ramdisks {
  const library = (name: string) => readFileSync(join(inputs.root, LIBRARY_FOLDER, name));
  return {
    bootstrap: [...folders('dev', 'proc', 'sys'), file('init', binaries.init, true)],
    runtime: [
      ...folders('app', 'lib', 'lib/x86_64-linux-gnu', 'lib64'),
      file('app/node', binaries.node, true),
      file(`lib64/${LOADER}`, library(LOADER), true),
      ...LIBRARIES.map((name) => file(`lib/x86_64-linux-gnu/${name}`, library(name))),
    ],
    program: [
      ...folders('app'),
      file('app/main.mjs', code),
      file('app/holdfast.node', binaries.addon),
      // The mark comes last: init sees by it that everything has been unpacked.
      file('unpacked', new Uint8Array()),
    ],
  };
}

/** Lays out the same files without init and the mark: for a container whose image nitro-cli makes bootable. */
export function layOutContainer({ runtime, program }: Ramdisks): CpioEntry[] {
  return [
    ...folders('dev', 'proc', 'run', 'sys', 'tmp'),
    ...runtime,
    ...program.filter(({ path }) => path !== 'unpacked'),
  ];
}
