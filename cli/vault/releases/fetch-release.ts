import { mkdir, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  assertNotOlder,
  BUNDLE_FILE,
  downloadArtifact,
  fetchIndex,
  INDEX_FILE,
  ReleaseError,
  type ReleaseKey,
  type ReleaseSource,
  type SignedIndex,
} from '../../../admin/artifacts/index.ts';
import { describeWriteError } from './errors.ts';
import { type LocalRelease, openLocalRelease, verifyContent } from './local-release.ts';
import { PartialFile } from './partial-file.ts';
import { isThere, listVersions, placeFolder } from './release-folder.ts';
import { takeRunLock } from './run-lock.ts';

export interface FetchOptions {
  /** Opens the place that the release comes from; not called where the release is here already. */
  readonly source: () => Promise<ReleaseSource>;
  readonly key: ReleaseKey;
  readonly version: string;
  /** Folder of releases on this machine. */
  readonly folder: string;
  /** Version that may be older than one that is here. */
  readonly older: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** A verified release, and whether anything was fetched for it. */
export interface FetchedRelease {
  readonly release: LocalRelease;
  readonly isNew: boolean;
}

/** Room that a disk has to have beside the release's own, in bytes. */
const SPARE_BYTES = 1024 * 1024;

/**
 * Fetches a release into a folder, where it appears when all of it was verified. One that is here already is verified, and
 * nothing is asked of anybody. What a run that was cut off has left is taken up.
 *
 * @throws ReleaseError
 */
export async function fetchRelease(options: FetchOptions): Promise<FetchedRelease> {
  const { key, version, folder, older, signal } = options;
  const place = join(folder, version);
  if (await isThere(place)) {
    return { release: await openLocalRelease(place, version, key), isNew: false };
  }
  assertNotOlder(version, await listVersions(folder), older);
  const staging = join(folder, `.${version}.partial`);
  await mkdir(staging, { recursive: true }).catch((error: unknown) => {
    throw describeWriteError(staging, error);
  });
  await using _lock = await takeRunLock(join(folder, `.${version}.lock`));
  // Another run may have ended meanwhile.
  if (await isThere(place)) {
    await rm(staging, { recursive: true, force: true });
    return { release: await openLocalRelease(place, version, key), isNew: false };
  }
  const source = await options.source();
  const signed = await fetchIndex(source, version, key, signal);
  await assertRoom(staging, signed);
  await downloadAll(source, staging, signed, options);
  await verifyContent(staging, signed, key);
  try {
    await writeFile(join(staging, BUNDLE_FILE), signed.bundleBytes, { flush: true });
    await writeFile(join(staging, INDEX_FILE), signed.indexBytes, { flush: true });
    await placeFolder(staging, place);
  } catch (error) {
    throw describeWriteError(place, error);
  }
  return { release: await openLocalRelease(place, version, key), isNew: true };
}

async function downloadAll(
  source: ReleaseSource,
  staging: string,
  { index }: SignedIndex,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  const names = new Set(index.artifacts.map(({ name }) => name));
  // What an earlier release of this version's name may have left: nothing of it is placed with this one.
  for (const name of await readdir(staging)) {
    if (!names.has(name)) await rm(join(staging, name), { recursive: true });
  }
  const total = index.artifacts.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const artifact of index.artifacts) {
    await using file = await PartialFile.open(join(staging, artifact.name));
    await downloadArtifact(source, index.version, artifact, file, {
      signal,
      onProgress: (bytes) => onProgress(done + bytes, total),
    });
    done += artifact.size;
    onProgress(done, total);
  }
}

/** Asserts that the disk can hold what is still to come. @throws ReleaseError RELEASE_DISK_FULL */
async function assertRoom(staging: string, { index }: SignedIndex): Promise<void> {
  const { bavail, bsize } = await statfs(staging);
  let needed = SPARE_BYTES;
  for (const { name, size } of index.artifacts) {
    const present = await stat(join(staging, name)).catch(() => undefined);
    needed += Math.max(0, size - (present?.size ?? 0));
  }
  const available = bavail * bsize;
  if (available >= needed) return;
  throw new ReleaseError('RELEASE_DISK_FULL', 'the disk cannot hold the release', {
    path: staging,
    needed,
    available,
  });
}
