import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ImageError } from './errors.ts';
import { type LockedPackage, lockPath, readLock, ROOT } from './lock.ts';

export { ROOT };

/**
 * Inputs of the image besides the repository: fetched, checked and unpacked by image-inputs.sh, the kernel built by
 * kernel.sh.
 */
export interface ImageInputs {
  readonly kernel: string;
  /** Full configuration that the kernel was built with. */
  readonly kernelConfig: string;
  /** Root directory that holds the compiler and the libraries. */
  readonly root: string;
  /** Path of the lock file that names the packages. */
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
 * Prepares the inputs, in the cache unless `anew` is given.
 *
 * @param anew - an empty folder in which everything is unpacked and built, from packages that are compared with the
 * lock file again; nothing that was made before is believed
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

/**
 * Prepares a folder with Debian's kernel and its modules, for emulated machines that are no enclaves. No image holds
 * them.
 */
export function prepareGuestKernel(): string {
  return runScript('guest-kernel.sh');
}
