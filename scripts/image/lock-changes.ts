import { ImageError } from './errors.ts';
import type { Lock, LockedPackage, Use } from './lock.ts';

/** Version of a package that a mirror has. */
export interface ListedVersion {
  readonly sha256: string;
  readonly name: string;
  readonly version: string;
}

/** Change from one lock file to another: a package in another version, or with other bytes. */
export interface LockChange {
  readonly before: LockedPackage;
  readonly after: LockedPackage;
}

/** Part of an image that each use of a package decides, and the PCRs that measure it. */
const DECIDES: Readonly<Record<Use, { readonly what: string; readonly pcrs: readonly number[] }>> = {
  kernel: { what: 'the kernel', pcrs: [0, 1] },
  library: { what: "Node's libraries", pcrs: [0, 2] },
  compiler: { what: 'whatever is compiled: kernel, init, addon', pcrs: [0, 1, 2] },
};

const isSame = (left: ListedVersion, right: ListedVersion) =>
  left.sha256 === right.sha256 && left.name === right.name && left.version === right.version;

/** Finds the packages of a lock file of which a mirror does not have those very bytes. */
export function findMissing(lock: Lock, listed: readonly ListedVersion[]): LockedPackage[] {
  return lock.packages.filter((wanted) => !listed.some((version) => isSame(version, wanted)));
}

/**
 * Moves each package to the newest version that a mirror has, which it lists first. @throws ImageError
 * `IMAGE_PACKAGE_GONE`
 */
export function moveLock(lock: Lock, listed: readonly ListedVersion[], snapshot: string): Lock {
  const packages = lock.packages.map((before): LockedPackage => {
    const newest = listed.find(({ name }) => name === before.name);
    if (newest === undefined)
      throw new ImageError(
        'IMAGE_PACKAGE_GONE',
        `the mirror has no package ${before.name} any more: look for what took its place, and name that in the lock file`,
      );
    return { ...newest, use: before.use };
  });
  return { snapshot, packages };
}

/** Compares two lock files: packages in another version, or with other bytes. */
export function compareLocks(before: Lock, after: Lock): LockChange[] {
  return before.packages.flatMap((old) => {
    const now = after.packages.find(({ name }) => name === old.name);
    return now === undefined || isSame(old, now) ? [] : [{ before: old, after: now }];
  });
}

const listPcrs = (pcrs: readonly number[]) => pcrs.map((index) => `PCR${index}`).join(', ');
const widest = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));

/** Describes which PCRs change: for certain with a kernel or a library, perhaps with a tool. */
function describePcrs(uses: readonly Use[]): string {
  const isChanged = (pcr: number) =>
    uses.some((use) => use !== 'compiler' && DECIDES[use].pcrs.includes(pcr));
  const certain = [0, 1, 2].filter(isChanged);
  const possible = uses.includes('compiler') ? [0, 1, 2].filter((pcr) => !isChanged(pcr)) : [];
  const parts = [
    ...(certain.length === 0 ? [] : [`${listPcrs(certain)} change`]),
    ...(possible.length === 0 ? [] : [`${listPcrs(possible)} may change: only a build tells (--measure)`]),
  ];
  return `${parts.join('; ')}. Each admin has to admit an image with other PCRs.`;
}

/** Describes in words what changes from one lock file to another, and which PCRs of the image change for it. */
export function describeChanges(changes: readonly LockChange[], total: number): string[] {
  if (changes.length === 0) return [`all ${total} packages are the newest: nothing changes`];
  const uses = (['kernel', 'library', 'compiler'] as const).filter((use) =>
    changes.some(({ before }) => before.use === use),
  );
  const rows = changes.map(({ before, after }) => ({
    use: before.use,
    name: before.name,
    versions:
      before.version === after.version
        ? `${before.version}, other bytes`
        : `${before.version} -> ${after.version}`,
  }));
  const nameWidth = widest(rows.map(({ name }) => name));
  const versionsWidth = widest(rows.map(({ versions }) => versions));
  return [
    ...rows.map(
      ({ use, name, versions }) =>
        `  ${use.padEnd(8)}  ${name.padEnd(nameWidth)}  ${versions.padEnd(versionsWidth)}  ${listPcrs(DECIDES[use].pcrs)}`,
    ),
    `${changes.length} of ${total} packages change, and with them ${uses.map((use) => DECIDES[use].what).join('; ')}.`,
    describePcrs(uses),
  ];
}
