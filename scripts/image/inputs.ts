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
  readonly use: 'kernel' | 'library' | 'compiler';
}

/** What the image is made from besides the repository: fetched, checked and unpacked by image-inputs.sh. */
export interface ImageInputs {
  readonly kernel: string;
  readonly modules: string;
  /** A root directory that holds the compiler and the libraries. */
  readonly root: string;
  readonly packages: readonly LockedPackage[];
  /** Kernel and modules that somebody gave in place of the pinned ones, which then have no part in the image. */
  readonly given?: readonly { readonly name: string; readonly sha256: string }[];
}

/** @throws Error when they are not here and cannot be fetched; the script has said why on standard error. */
export function prepareInputs(): ImageInputs {
  const { status, stdout } = spawnSync(join(ROOT, 'scripts/image-inputs.sh'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error('the inputs of the image are not to be had');
  const directory = stdout.trim();
  return {
    kernel: join(directory, 'kernel/vmlinuz'),
    modules: join(directory, 'kernel/modules'),
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
