import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/image/inputs.ts';

function findMade(script: string): string | undefined {
  const { status, stdout } = spawnSync(join(ROOT, 'scripts', script), ['--path'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * The emulator's folder, where it has been made and the image's inputs are here too. Tests do not make them: that takes
 * minutes and Debian's archive. Says loudly what is not tested, and why.
 */
export function findEmulator(): string | undefined {
  const emulator = findMade('emulator.sh');
  const inputs = [findMade('image-inputs.sh'), findMade('kernel.sh')];
  if (emulator !== undefined && !inputs.includes(undefined)) return emulator;
  const reason = join(ROOT, 'build/no-emulated-host');
  const why = existsSync(reason)
    ? readFileSync(reason, 'utf8').trim()
    : 'scripts/emulated-host.sh was not run before';
  process.stderr.write(
    `\nSKIPPED: no enclave image is built, booted and tested on this machine.\nWhy: ${why}\n\n`,
  );
  return undefined;
}

/**
 * Kernel arguments that spare the guests the calibration of the time stamp counter, which hangs now and then under
 * emulation: the counter that they see is this machine's.
 */
export function clockArguments(): string {
  const megahertz = /^cpu MHz\s*: ([0-9.]+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  return megahertz === undefined ? '' : `tsc_early_khz=${Math.round(Number(megahertz) * 1000)} tsc=reliable`;
}
