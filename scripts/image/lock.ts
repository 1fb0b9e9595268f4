import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageError } from './errors.ts';

/** Folder of the project. */
export const ROOT = join(import.meta.dirname, '../..');

/** Path of the lock file that every published image is made from. */
export const PINNED_LOCK = join(ROOT, 'docker/inputs.lock');

/** Variable that names a lock file in place of docker/inputs.lock, which makes another image. */
export const LOCK_VARIABLE = 'HOLDFAST_INPUTS_LOCK';

/** Use of a package: it becomes the kernel, is in the image as a library, or makes what is in it. */
export type Use = 'kernel' | 'library' | 'compiler';

/** Line of docker/inputs.lock. */
export interface LockedPackage {
  readonly sha256: string;
  readonly name: string;
  readonly version: string;
  readonly use: Use;
}

/** Debian's packages that an image is made from. */
export interface Lock {
  /** Time at which Debian's archive of snapshots had all of them: `20261121T000000Z`. */
  readonly snapshot: string;
  readonly packages: readonly LockedPackage[];
}

/** Path of the lock file in force: docker/inputs.lock, unless the environment names another. */
export function lockPath(): string {
  return process.env[LOCK_VARIABLE] ?? PINNED_LOCK;
}

const LINE =
  /^(?<sha256>[0-9a-f]{64}) (?<name>[a-z0-9][a-z0-9+.-]+) (?<version>\S+) (?<use>kernel|library|compiler)$/;
const SNAPSHOT = /^snapshot (\d{8}T\d{6}Z)$/;

/** Parses a lock file. @throws ImageError `IMAGE_LOCK_MALFORMED` */
export function parseLock(text: string): Lock {
  let snapshot: string | undefined;
  const packages: LockedPackage[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const time = SNAPSHOT.exec(line)?.[1];
    const groups = LINE.exec(line)?.groups;
    if (time !== undefined) snapshot = time;
    else if (groups !== undefined) packages.push({ ...groups } as unknown as LockedPackage);
    else
      throw new ImageError(
        'IMAGE_LOCK_MALFORMED',
        `a lock file has "SHA256 PACKAGE VERSION USE" in a line, not ${JSON.stringify(line)}`,
      );
  }
  if (snapshot === undefined)
    throw new ImageError(
      'IMAGE_LOCK_MALFORMED',
      'a lock file has a line "snapshot TIME", and this one has none',
    );
  return { snapshot, packages };
}

/** Formats a lock file that keeps the comments of another. */
export function formatLock({ snapshot, packages }: Lock, before: string): string {
  const comments = before.split('\n').filter((line) => line.startsWith('#'));
  const lines = packages.map(({ sha256, name, version, use }) => `${sha256} ${name} ${version} ${use}`);
  return `${[...comments, `snapshot ${snapshot}`, ...lines].join('\n')}\n`;
}

/** Reads a lock file. @throws ImageError `IMAGE_LOCK_MALFORMED` */
export function readLock(path: string): Lock {
  return parseLock(readFileSync(path, 'utf8'));
}
