import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleEntry } from '../../../scripts/image/bundle.ts';
import type { Binaries } from '../../../scripts/image/compile.ts';
import { type CpioEntry, encodeCpio } from '../../../scripts/image/cpio.ts';
import { prepareInputs } from '../../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../../scripts/image/layout.ts';

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

/** Writes the ramdisk of a plain guest that runs one program of this project on the pinned Node; `extra` lies beside it. */
export async function writeGuestRamdisk(
  path: string,
  emulator: string,
  binaries: Binaries,
  entry: string,
  modules: readonly string[],
  extra: readonly CpioEntry[] = [],
): Promise<void> {
  const inputs = prepareInputs();
  const { code } = await bundleEntry(entry);
  const { runtime, program } = layOutRamdisks(inputs, binaries, code);
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
      content: readFileSync(join(inputs.modules, `${name}.ko`)),
    })),
    ...runtime,
    ...program.filter(({ kind }) => kind === 'file'),
    ...extra,
  ];
  writeFileSync(path, encodeCpio(entries));
}
