import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../cli/common/command.ts';
import { compareLocks, describeChanges, findMissing, moveLock } from './image/lock-changes.ts';
import { formatLock, lockPath, parseLock, PINNED_LOCK } from './image/lock.ts';
import { measureLock } from './image/measure-lock.ts';
import { listMirror, type Listing } from './image/mirror.ts';
import { runScript } from './image/run-script.ts';

const USAGE = `Moves the pins of the enclave image (docker/inputs.lock) to what Debian's mirror has today.

Usage: scripts/update-inputs [--to FILE] [--dry-run] [--measure]
       scripts/update-inputs --check

  --to FILE   write the new lock file there, and leave docker/inputs.lock as it is
  --dry-run   write nothing
  --measure   build the image with the old pins, where those can still be had, and with the new ones, and show the PCRs
              of both: some ten minutes
  --check     say whether what is pinned can still be had, from lists alone; nothing is downloaded or written

It shows each package that changes (what it is for, old -> new) and the PCRs that change with it. Another lock file is
another image: see docs/image.md.

Exit 0: done, or all can be had. 1: some pinned package cannot be had, or no mirror be reached. 2: usage.
`;

function takeArguments() {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      options: { to: { type: 'string' }, 'dry-run': flag, measure: flag, check: flag, help: flag },
    });
    if (values.check && (values.to !== undefined || values['dry-run'] || values.measure))
      throw new TypeError('--check takes no other option');
    if (values['dry-run'] && values.to !== undefined)
      throw new TypeError('--dry-run writes nothing --to a file');
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Time of a snapshot: a day after a list was signed, the archive of snapshots has the packages that it names. */
function snapshotOf({ signed }: Listing): string {
  const day = new Date(signed.getTime() + 86_400_000);
  return day.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

function check(): number {
  const lock = parseLock(readFileSync(lockPath(), 'utf8'));
  const { packages, snapshot } = lock;
  const names = packages.map(({ name }) => name);
  const listing = listMirror(names);
  if (listing === undefined)
    return warn(['Debian’s mirror cannot be asked whether the pinned inputs of the image are there.']);
  const missing = findMissing(lock, listing.versions);
  if (missing.length === 0) {
    console.log(`all ${packages.length} pinned inputs of the image are on ${listing.mirror}`);
    return 0;
  }
  const archived = listMirror(names, snapshot)?.versions;
  const lost = archived === undefined ? missing : findMissing({ ...lock, packages: missing }, archived);
  return warn([
    `${missing.length} of ${packages.length} pinned inputs of the image are no longer on ${listing.mirror}:`,
    ...missing.map(({ name, version }) => `  ${name} ${version}`),
    lost.length === 0
      ? 'snapshot.debian.org still has them, so the image can be built.'
      : `snapshot.debian.org ${archived === undefined ? 'cannot be reached from here' : 'does not have all of them either'}.`,
    'scripts/update-inputs moves the pins.',
  ]);
}

function warn(lines: readonly string[]): number {
  const bar = '#'.repeat(100);
  const [first, ...rest] = lines;
  console.error([bar, `#  WARNING: ${first}`, ...rest.map((line) => `#  ${line}`), bar].join('\n'));
  return 1;
}

function update({ to, 'dry-run': isDry, measure }: ReturnType<typeof takeArguments>): number {
  const text = readFileSync(PINNED_LOCK, 'utf8');
  const before = parseLock(text);
  const listing = listMirror(before.packages.map(({ name }) => name));
  if (listing === undefined) {
    console.error('the mirror has no list of packages for us, see above: nothing was changed');
    return 1;
  }
  const after = moveLock(before, listing.versions, snapshotOf(listing));
  const changes = compareLocks(before, after);
  console.log(
    `docker/inputs.lock, moved to ${listing.mirror} of ${listing.signed.toISOString().slice(0, 10)}:`,
  );
  console.log(describeChanges(changes, before.packages.length).join('\n'));
  const moved = formatLock(after, text);
  if (measure) for (const line of measureLock(text, moved)) console.log(line);
  if (isDry) return 0;
  if (changes.length > 0 && to === undefined)
    console.log(
      'The new kernel’s digest goes into docker/kernel.sha256: test/image/kernel.emulated.test.ts names it.',
    );
  // A lock file that changes nothing keeps the name of what was made from it in the cache.
  writeFileSync(to === undefined ? PINNED_LOCK : resolve(to), changes.length === 0 ? text : moved);
  return 0;
}

process.exitCode = await runScript(USAGE, async () => {
  const values = takeArguments();
  if (values.help) console.log(USAGE);
  else return values.check ? check() : update(values);
  return 0;
});
