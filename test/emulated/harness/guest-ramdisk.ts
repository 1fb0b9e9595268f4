import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from '../../../scripts/image/compile.ts';
import { type CpioEntry, encodeCpio } from '../../../scripts/image/cpio.ts';
import { prepareGuestKernel, prepareInputs } from '../../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../../scripts/image/layout.ts';
import { bundleGuestPrograms } from './guest-program.ts';

/** Kernel modules by name, in the order of loading. */
export const SWITCHED_VSOCK = [
  'virtio_mmio',
  'vsock',
  'vmw_vsock_virtio_transport_common',
  'vmw_vsock_virtio_transport',
] as const;
export const LOOPBACK_VSOCK = ['vsock', 'vmw_vsock_virtio_transport_common', 'vsock_loopback'] as const;

const INIT = (modules: readonly string[]) => `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox ip link set lo up
for module in ${modules.join(' ')}; do /bin/busybox insmod /modules/$module.ko; done
/app/node /app/main.mjs
echo "guest-exit $?"
/bin/busybox reboot -f
`;

export interface GuestOptions {
  readonly emulator: string;
  readonly binaries: Binaries;
  readonly modules: readonly string[];
  /** Programs of this project by name; the guest runs `main` on the pinned Node, which may start the others. */
  readonly programs: Readonly<Record<string, string>> & { readonly main: string };
  /** Files beside the programs. */
  readonly extra?: readonly CpioEntry[];
}

/** Writes the ramdisk of a plain guest. */
export async function writeGuestRamdisk(path: string, options: GuestOptions): Promise<void> {
  const { emulator, binaries, modules, programs, extra = [] } = options;
  const inputs = prepareInputs();
  const guestKernel = prepareGuestKernel();
  const { runtime } = layOutRamdisks(inputs, binaries, new Uint8Array());
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'modules', 'proc', 'sys', 'tmp'].map((folder): CpioEntry => ({
      path: folder,
      kind: 'directory',
    })),
    { path: 'init', kind: 'file', content: Buffer.from(INIT(modules)), isExecutable: true },
    {
      path: 'bin/busybox',
      kind: 'file',
      content: readFileSync(join(emulator, 'busybox')),
      isExecutable: true,
    },
    ...modules.map((name): CpioEntry => ({
      path: `modules/${name}.ko`,
      kind: 'file',
      content: readFileSync(join(guestKernel, 'modules', `${name}.ko`)),
    })),
    ...runtime,
    { path: 'app/holdfast.node', kind: 'file', content: binaries.addon },
    ...(await bundleGuestPrograms(programs)),
    ...extra,
  ];
  writeFileSync(path, encodeCpio(entries));
}
