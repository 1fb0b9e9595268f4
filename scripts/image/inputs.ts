import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ImageError } from './errors.ts';
import { type LockedPackage, lockPath, readLock, ROOT } from './lock.ts';

export { ROOT };

/**
 * What the image is made from besides the repository: fetched, checked and unpacked by image-inputs.sh, the kernel built
 * by kernel.sh.
 */
export interface ImageInputs {
  readonly kernel: string;
  /** The configuration that the kernel was built with, in full. */
  readonly kernelConfig: string;
  /** A root directory that holds the compiler and the libraries. */
  readonly root: string;
  /** The lock file that names the packages. */
  readonly lock: string;
  readonly packages: readonly LockedPackage[];
}

function runScript(
  name: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): string {
  const { status, stdout } = spawnSync(join(ROOT, 'scripts', name), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  if (status !== 0)
    throw new ImageError(
      'IMAGE_INPUTS_MISSING',
      `scripts/${name} could not make its part of the image's inputs, see above`,
    );
  return stdout.trim();
}

/**
 * @param anew - an empty folder: everything is unpacked and built there, from packages that are held against the lock
 *   file again, and nothing that was made before is believed
 * @throws ImageError `IMAGE_INPUTS_MISSING`, `IMAGE_LOCK_MALFORMED`
 */
export function prepareInputs(anew?: string): ImageInputs {
  const into = (name: string) => (anew === undefined ? [] : ['--into', join(anew, name)]);
  const directory = runScript('image-inputs.sh', into('inputs'));
  const kernel = runScript(
    'kernel.sh',
    into('kernel'),
    anew === undefined ? {} : { HOLDFAST_INPUTS_FOLDER: directory },
  );
  const lock = lockPath();
  return {
    kernel: join(kernel, 'bzImage'),
    kernelConfig: join(kernel, 'config'),
    root: join(directory, 'root'),
    lock,
    packages: readLock(lock).packages,
  };
}

/** A folder with Debian's kernel and modules of it, for emulated machines that are no enclaves. It is in no image. */
export function prepareGuestKernel(): string {
  return runScript('guest-kernel.sh');
}
