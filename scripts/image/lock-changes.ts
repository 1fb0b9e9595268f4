import type { Lock, LockedPackage, Use } from './lock.ts';

/** A version of a package that a mirror has. */
export interface ListedVersion {
  readonly sha256: string;
  readonly name: string;
  readonly version: string;
}

/** A package that another lock file takes in another version, or with other bytes. */
export interface LockChange {
  readonly before: LockedPackage;
  readonly after: LockedPackage;
}

/** What an image's parts are measured into, by the use of the packages that decide about them. */
const DECIDES: Readonly<Record<Use, { readonly what: string; readonly pcrs: readonly number[] }>> = {
  kernel: { what: 'the kernel', pcrs: [0, 1] },
  library: { what: "Node's libraries", pcrs: [0, 2] },
  compiler: { what: 'whatever is compiled: kernel, init, addon', pcrs: [0, 1, 2] },
};

const isSame = (left: ListedVersion, right: ListedVersion) =>
  left.sha256 === right.sha256 && left.name === right.name && left.version === right.version;

/** The packages of a lock file of which a mirror does not have those very bytes. */
export function findMissing(lock: Lock, listed: readonly ListedVersion[]): LockedPackage[] {
  return lock.packages.filter((wanted) => !listed.some((version) => isSame(version, wanted)));
}

/**
 * Takes for each package the newest version that a mirror has, which it lists first.
 * @throws Error when it has no package of that name
 */
export function moveLock(lock: Lock, listed: readonly ListedVersion[], snapshot: string): Lock {
  const packages = lock.packages.map((before): LockedPackage => {
    const newest = listed.find(({ name }) => name === before.name);
    if (newest === undefined)
      throw new Error(
        `the mirror has no package ${before.name} any more: look for what took its place, and name that in the lock file`,
      );
    return { ...newest, use: before.use };
  });
  return { snapshot, packages };
}

export function compareLocks(before: Lock, after: Lock): LockChange[] {
  return before.packages.flatMap((old) => {
    const now = after.packages.find(({ name }) => name === old.name);
    return now === undefined || isSame(old, now) ? [] : [{ before: old, after: now }];
  });
}

const listPcrs = (pcrs: Iterable<number>) => [...pcrs].map((index) => `PCR${index}`).join(', ');

/** Says in words what changes from one lock file to another, and which PCRs of the image change for it. */
export function describeChanges(changes: readonly LockChange[], total: number): string[] {
  if (changes.length === 0) return [`all ${total} packages are the newest: nothing changes`];
  const width = (texts: string[]) => Math.max(...texts.map((text) => text.length));
  const names = width(changes.map(({ before }) => before.name));
  const versions = changes.map(({ before, after }) =>
    before.version === after.version
      ? `${before.version}, other bytes`
      : `${before.version} -> ${after.version}`,
  );
  const lines = changes.map(
    ({ before }, index) =>
      `  ${before.use.padEnd(8)}  ${before.name.padEnd(names)}  ${versions[index]?.padEnd(width(versions))}  ${listPcrs(DECIDES[before.use].pcrs)}`,
  );
  const uses = (['kernel', 'library', 'compiler'] as const).filter((use) =>
    changes.some(({ before }) => before.use === use),
  );
  const certain = new Set(uses.filter((use) => use !== 'compiler').flatMap((use) => DECIDES[use].pcrs));
  const possible = uses.flatMap((use) => DECIDES[use].pcrs).filter((index) => !certain.has(index));
  return [
    ...lines,
    `${changes.length} of ${total} packages change, and with them ${uses.map((use) => DECIDES[use].what).join('; ')}.`,
    certain.size === 0
      ? `${listPcrs(new Set(possible))} may change: only a build tells (--measure).`
      : `${listPcrs([...certain].toSorted())} change${possible.length === 0 ? '' : `; ${listPcrs(new Set(possible))} may`}. Each admin has to admit the new image.`,
  ];
}
