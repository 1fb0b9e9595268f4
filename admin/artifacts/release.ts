import { verifyBlobBundle } from './bundle.ts';
import { downloadSmallFile } from './download.ts';
import { ReleaseError } from './errors.ts';
import {
  BUNDLE_FILE,
  INDEX_FILE,
  MAX_BUNDLE_BYTES,
  MAX_INDEX_BYTES,
  parseReleaseIndex,
  type ReleaseIndex,
} from './release-index.ts';
import type { ReleaseKey } from './release-key.ts';
import type { ReleaseSource } from './source.ts';
import { compareVersions } from './version.ts';

/** Index of a release whose signature was verified, with the bytes that it was verified over. */
export interface SignedIndex {
  readonly index: ReleaseIndex;
  readonly indexBytes: Uint8Array;
  readonly bundleBytes: Uint8Array;
}

/**
 * Verifies the index of a release by the release's key.
 *
 * @param version the version that was asked for: whoever keeps releases may give an older one under its name
 * @throws ReleaseError RELEASE_OTHER_VERSION, RELEASE_INDEX_MALFORMED, and those of the bundle
 */
export function verifyIndex(
  { indexBytes, bundleBytes }: Omit<SignedIndex, 'index'>,
  key: ReleaseKey,
  version: string,
): SignedIndex {
  verifyBlobBundle(bundleBytes, indexBytes, key);
  const index = parseReleaseIndex(indexBytes);
  if (index.version !== version) {
    throw new ReleaseError('RELEASE_OTHER_VERSION', 'the release is of another version', {
      expected: version,
      actual: index.version,
    });
  }
  return { index, indexBytes, bundleBytes };
}

/** Fetches and verifies the index of a release. @throws as {@link verifyIndex} and {@link ReleaseSource} */
export async function fetchIndex(
  source: ReleaseSource,
  version: string,
  key: ReleaseKey,
  signal: AbortSignal,
): Promise<SignedIndex> {
  const indexBytes = await downloadSmallFile(source, version, INDEX_FILE, MAX_INDEX_BYTES, signal);
  const bundleBytes = await downloadSmallFile(source, version, BUNDLE_FILE, MAX_BUNDLE_BYTES, signal);
  return verifyIndex({ indexBytes, bundleBytes }, key, version);
}

/**
 * Asserts that a release is not older than any that is here, unless a person has named it as the older one.
 *
 * @param present versions that are here
 * @param named the older version that a person allows by name
 * @throws ReleaseError RELEASE_OLDER
 */
export function assertNotOlder(version: string, present: readonly string[], named: string | undefined): void {
  const newer = present.filter((other) => compareVersions(other, version) > 0).toSorted(compareVersions);
  if (newer.length === 0 || named === version) return;
  throw new ReleaseError('RELEASE_OLDER', 'the release is older than one that is here', {
    version,
    present: newer.at(-1),
  });
}
