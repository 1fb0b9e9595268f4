import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleEntry } from '../../../scripts/image/bundle.ts';
import { ROOT } from '../../../scripts/image/inputs.ts';

const MACHINE = join(import.meta.dirname, 'machine.sh');

/**
 * Finds the archive of a Debian tree, where it has been made and this machine can boot it. Says loudly what is not
 * tested, and why.
 */
export function findDebian(): string | undefined {
  const run = (program: string, ...args: string[]) => spawnSync(program, args, { encoding: 'utf8' });
  const { status, stdout } = run(join(ROOT, 'scripts/debian-tree.sh'), '--path');
  const check = run(MACHINE, '--check');
  if (status === 0 && check.status === 0) return join(stdout.trim(), 'debian.tar');
  const reason = join(ROOT, 'build/no-systemd-machine');
  const why =
    check.stderr ||
    (existsSync(reason) && readFileSync(reason, 'utf8')) ||
    'scripts/systemd-machine.sh was not run';
  process.stderr.write(
    `\nSKIPPED: the installed unit was not run under a booted systemd.\nWhy: ${why.trim()}\n\n`,
  );
  return undefined;
}

const CHECKS = `[Unit]
Description=Checks of the installed parent
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=exec
ExecStart=/root/test/prepared/bin/node /root/test/checks.mjs /root/test/prepared/scripts/install-parent.sh --prepared
StandardOutput=append:/root/test/reports
StandardError=append:/root/test/reports
[Install]
WantedBy=multi-user.target
`;

// A container has no kernel of its own, so AF_VSOCK there would be this machine's. And a busy machine is to be waited for.
const DROP_IN = `[Service]
RestrictAddressFamilies=~AF_VSOCK
TimeoutStartSec=5min
`;

/** Output of a machine: its reports, a line of JSON for each, and whatever else its program printed. */
export interface MachineOutput {
  readonly reports: readonly Record<string, unknown>[];
  readonly text: string;
}

/**
 * Boots the Debian tree, in it the tree of `install-parent.sh --root` at /root/test/prepared, runs `program` (a file of this
 * project) once systemd has booted it, and waits until it is off; or ends it, when the signal is given.
 */
export async function runMachine(
  debian: string,
  program: string,
  signal: AbortSignal,
): Promise<MachineOutput> {
  // In a process group of its own: an interrupt from the keyboard reaches it by the end of its input, and it cleans up.
  const machine = spawn(MACHINE, [debian], { detached: true });
  signal.addEventListener('abort', () => machine.stdin.end(), { once: true });
  const closed = once(machine, 'close');
  let shown = '';
  machine.stderr.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk));
  const lines: string[] = [];
  const output = createInterface({ input: machine.stdout }).on('line', (line) => lines.push(line));
  try {
    await Promise.race([once(output, 'line'), closed]);
    const folder = lines.shift();
    if (folder === undefined) throw new Error(shown);
    await fill(folder, program);
    machine.stdin.write('boot\n');
    await closed;
  } finally {
    machine.stdin.end();
    await closed;
  }
  const reports = lines.filter((line) => line.startsWith('{'));
  return {
    reports: reports.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: [shown, ...lines].join('\n'),
  };
}

async function fill(folder: string, program: string): Promise<void> {
  prepareTree(join(folder, 'prepared'), folder);
  writeFileSync(join(folder, 'checks.mjs'), (await bundleEntry(program)).code);
  const units = join(folder, 'etc/systemd/system');
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  writeFileSync(join(units, 'holdfast-checks.service'), CHECKS);
  symlinkSync('../holdfast-checks.service', join(units, 'multi-user.target.wants/holdfast-checks.service'));
  mkdirSync(join(units, 'holdfast-parent.service.d'));
  writeFileSync(join(units, 'holdfast-parent.service.d/container.conf'), DROP_IN);
}

/**
 * Prepares the tree that `install-parent.sh --root` makes, with the packages of this working copy: a test asks no
 * registry.
 */
function prepareTree(prepared: string, folder: string): void {
  const root = join(folder, 'installed');
  execFileSync(join(ROOT, 'scripts/install-parent.sh'), ['--root', root, '--without-packages']);
  execFileSync('mv', [join(root, 'opt/holdfast'), prepared]);
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [place, { dev }] of Object.entries(lock.packages)) {
    // An absent package is another processor's.
    if (place === '' || dev === true || !existsSync(join(ROOT, place))) continue;
    cpSync(join(ROOT, place), join(prepared, place), { recursive: true });
  }
  mkdirSync(join(prepared, 'build'));
  cpSync(join(ROOT, 'build/holdfast.node'), join(prepared, 'build/holdfast.node'));
  symlinkSync(`../node_modules/node-linux-${process.arch}/bin/node`, join(prepared, 'bin/node'));
}
