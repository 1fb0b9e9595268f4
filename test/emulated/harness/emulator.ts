import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_VARIABLE, ROOT } from '../../../scripts/image/lock.ts';
import { findMade } from '../../support/find-made.ts';

/** Written by emulated-host.sh where the pinned inputs of the image could not be had. */
const UNPINNED_LOCK = join(ROOT, 'build/unpinned-inputs.lock');

const hasInputs = () => findMade('image-inputs.sh') !== undefined && findMade('kernel.sh') !== undefined;

function say(...lines: string[]): void {
  const bar = '#'.repeat(100);
  process.stderr.write(`\n${[bar, ...lines.map((line) => `#  ${line}`), bar].join('\n')}\n\n`);
}

/** True where images are made from docker/inputs.lock, so that their PCRs are those of everybody else. */
export function isPinned(): boolean {
  return process.env[LOCK_VARIABLE] === undefined;
}

/**
 * Finds the emulator's folder, where it has been made and an image's inputs are here too. Tests do not make them: that
 * takes minutes and Debian's archive. Where the pinned inputs could not be had, and others were made in their place,
 * this process and its children build images from the others; a line says so. Says loudly what is not tested, and why.
 */
export function findEmulator(): string | undefined {
  const emulator = findMade('emulator.sh');
  if (emulator !== undefined && findMade('guest-kernel.sh') !== undefined) {
    if (hasInputs()) return emulator;
    if (isPinned() && existsSync(UNPINNED_LOCK)) {
      process.env[LOCK_VARIABLE] = UNPINNED_LOCK;
      if (hasInputs()) {
        say(
          "UNPINNED: the images of these tests are made from what Debian's mirror has today, because the pinned",
          'packages cannot be had. Their PCRs are nobody else’s.',
        );
        return emulator;
      }
      Reflect.deleteProperty(process.env, LOCK_VARIABLE);
    }
  }
  const reason = join(ROOT, 'build/no-emulated-host');
  const why = existsSync(reason)
    ? readFileSync(reason, 'utf8').trim()
    : 'scripts/emulated-host.sh was not run before';
  say('SKIPPED: no enclave image is built, booted and tested on this machine.', `Why: ${why}`);
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
