import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { ListedVersion } from './lock-changes.ts';
import { ROOT } from './lock.ts';

/** Versions of packages in Debian's archive. */
export interface Listing {
  readonly mirror: string;
  /** Time at which the archive signed its list. */
  readonly signed: Date;
  /** Versions, the newest of each package first. */
  readonly versions: readonly ListedVersion[];
}

const RELEASE = /^release (\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z (\S+)$/;

/**
 * Asks the mirror of this machine, or the archive of snapshots as of a time, which versions of packages it has, by
 * debian-versions.sh. Undefined where it cannot be asked; the script has given the reason on standard error.
 */
export function listMirror(names: readonly string[], snapshot?: string): Listing | undefined {
  const { status, stdout } = spawnSync(
    join(ROOT, 'scripts/debian-versions.sh'),
    [...(snapshot === undefined ? [] : ['--snapshot', snapshot]), ...names],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0) return undefined;
  const [first = '', ...lines] = stdout.trim().split('\n');
  const [, year, month, day, hour, minute, second, mirror] = RELEASE.exec(first) ?? [];
  if (mirror === undefined)
    throw new Error(`expected a release first from debian-versions.sh, found "${first}"`);
  return {
    mirror,
    signed: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`),
    versions: lines
      .filter((line) => line !== '')
      .map((line) => {
        const [sha256 = '', name = '', version = ''] = line.split(' ');
        return { sha256, name, version };
      }),
  };
}
