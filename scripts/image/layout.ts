import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './compile.ts';
import { type CpioEntry, type CpioFile } from './cpio.ts';
import type { ImageInputs } from './inputs.ts';

/**
 * The kernel's command line; measured into PCR1. A triple fault is the reboot that always ends an enclave; nothing is
 * left to wait for after a panic. Randomness is the NSM's, which init sees to, not the CPU's. Freed memory is cleared,
 * and the kernel does not open up its own memory to anybody.
 */
export const CMDLINE =
  'reboot=t panic=-1 oops=panic pci=off console=ttyS0 quiet random.trust_cpu=off random.trust_bootloader=off ' +
  'init_on_free=1 slab_nomerge vsyscall=none lockdown=confidentiality';

const LIBRARY_FOLDER = 'usr/lib/x86_64-linux-gnu';
const LOADER = 'ld-linux-x86-64.so.2';
/** What Node needs, by its dynamic section. */
const LIBRARIES = [
  'libatomic.so.1',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libstdc++.so.6',
];
/** For tests of the sockets within one machine; no part of an image. */
const NOT_IN_THE_IMAGE = 'vsock_loopback.ko';

function file(path: string, content: Uint8Array, isExecutable = false): CpioFile {
  return { path, kind: 'file', content, isExecutable };
}

function folders(...paths: string[]): CpioEntry[] {
  return paths.map((path) => ({ path, kind: 'directory' }));
}

/** The first ramdisk, measured into PCR1 with the kernel: init and the kernel's modules. */
export function layOutBootstrap(inputs: ImageInputs, binaries: Binaries): CpioEntry[] {
  const modules = readdirSync(inputs.modules).filter((name) => name !== NOT_IN_THE_IMAGE);
  return [
    ...folders('dev', 'proc', 'sys', 'modules'),
    file('init', binaries.init, true),
    ...modules.map((name) => file(`modules/${name}`, readFileSync(join(inputs.modules, name)))),
  ];
}

/** The second ramdisk, measured into PCR2: Node and its libraries. */
export function layOutRuntime(inputs: ImageInputs, binaries: Binaries): CpioEntry[] {
  const library = (name: string) => readFileSync(join(inputs.root, LIBRARY_FOLDER, name));
  return [
    ...folders('app', 'lib', 'lib/x86_64-linux-gnu', 'lib64'),
    file('app/node', binaries.node, true),
    file(`lib64/${LOADER}`, library(LOADER), true),
    ...LIBRARIES.map((name) => file(`lib/x86_64-linux-gnu/${name}`, library(name))),
  ];
}

/** The third ramdisk, measured into PCR2 too: the program. */
export function layOutProgram(binaries: Binaries, code: Uint8Array): CpioEntry[] {
  return [...folders('app'), file('app/main.mjs', code), file('app/holdfast.node', binaries.addon)];
}
