import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's folder. */
export const ROOT = join(import.meta.dirname, '../..');

/** One line of docker/inputs.lock. */
export interface LockedPackage {
  readonly sha256: string;
  readonly name: string;
  readonly version: string;
  readonly use: 'kernel' | 'library' | 'compiler' | 'guest';
}

/**
 * What the image is made from besides the repository: fetched, checked and unpacked by image-inputs.sh, the kernel built
 * by kernel.sh.
 */
export interface ImageInputs {
  readonly kernel: string;
  /** The configuration that the kernel was built with, in full. */
  readonly kernelConfig: string;
  /** A folder with another kernel and its modules, which machines of tests run on that are no enclaves. */
  readonly guest: string;
  /** A root directory that holds the compiler and the libraries. */
  readonly root: string;
  readonly packages: readonly LockedPackage[];
}

function runScript(name: string, ...args: string[]): string {
  const { status, stdout } = spawnSync(join(ROOT, 'scripts', name), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error('the inputs of the image are not to be had');
  return stdout.trim();
}

/**
 * @param kernelFolder - has the kernel built anew, into this folder, instead of taking it from the cache
 * @throws Error when they are not here and cannot be made; the script has said why on standard error
 */
export function prepareInputs(kernelFolder?: string): ImageInputs {
  const directory = runScript('image-inputs.sh');
  const kernel = runScript('kernel.sh', ...(kernelFolder === undefined ? [] : ['--into', kernelFolder]));
  return {
    kernel: join(kernel, 'bzImage'),
    kernelConfig: join(kernel, 'config'),
    guest: join(directory, 'guest'),
    root: join(directory, 'root'),
    packages: readLock(),
  };
}

function readLock(): LockedPackage[] {
  return readFileSync(join(ROOT, 'docker/inputs.lock'), 'utf8')
    .split('\n')
    .filter((line) => /^[0-9a-f]{64} /.test(line))
    .map((line) => {
      const [sha256 = '', name = '', version = '', use = ''] = line.split(' ');
      return { sha256, name, version, use: use as LockedPackage['use'] };
    });
}
