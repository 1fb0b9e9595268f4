import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Artifact,
  type ArtifactKind,
  artifactOf,
  ARTIFACTS,
  BUNDLE_FILE,
  INDEX_FILE,
  MAX_BUNDLE_BYTES,
  MAX_INDEX_BYTES,
  ReleaseError,
  type ReleaseFile,
  type ReleaseKey,
  type SignedIndex,
  verifyIndex,
  verifyMeasurements,
  verifyProvenance,
} from '../../../admin/artifacts/index.ts';
import type { PcrValues } from '../../../attestation/index.ts';
import { openFileSource } from '../../eif/file.ts';
import { digestFile } from './digest-file.ts';

/** A release on this machine, verified. */
export interface LocalRelease extends SignedIndex {
  readonly folder: string;
  /** Measurements of the image, computed from it: 48 bytes each. */
  readonly pcrs: PcrValues;
  /** All files; the index is the last one. */
  readonly files: readonly ReleaseFile[];
}

/**
 * Verifies a release on this machine: signature, digests, measurements of the image, provenance.
 *
 * @param folder the release's own folder
 * @throws ReleaseError RELEASE_DAMAGED where a file is not what the index names, and those of each part
 */
export async function openLocalRelease(
  folder: string,
  version: string,
  key: ReleaseKey,
): Promise<LocalRelease> {
  const indexBytes = await readSmall(join(folder, INDEX_FILE), MAX_INDEX_BYTES);
  const bundleBytes = await readSmall(join(folder, BUNDLE_FILE), MAX_BUNDLE_BYTES);
  const signed = verifyIndex({ indexBytes, bundleBytes }, key, version);
  for (const artifact of signed.index.artifacts) await assertWhole(folder, artifact);
  const pcrs = await verifyContent(folder, signed, key);
  return { ...signed, folder, pcrs, files: await listFiles(folder, signed) };
}

/**
 * Verifies what the files of a release say, once their digests are known to be right.
 * @throws ReleaseError RELEASE_MEASUREMENTS_DIFFER, RELEASE_PROVENANCE_DIFFERS, and those of the bundle
 */
export async function verifyContent(
  folder: string,
  { index }: Pick<SignedIndex, 'index'>,
  key: ReleaseKey,
): Promise<PcrValues> {
  const read = (kind: ArtifactKind) =>
    readSmall(join(folder, ARTIFACTS[kind].name), ARTIFACTS[kind].maxBytes);
  verifyProvenance({ index, statement: await read('provenance'), bundle: await read('attestation') }, key);
  await using image = await openFileSource(join(folder, artifactOf(index, 'image').name));
  return await verifyMeasurements(index, await read('measurements'), image);
}

async function assertWhole(folder: string, { name, size, sha256, sha384 }: Artifact): Promise<void> {
  const path = join(folder, name);
  const found = await digestFile(path).catch((error: NodeJS.ErrnoException) => {
    throw damaged(path, error.code ?? 'unreadable');
  });
  if (found.size !== size || found.sha256 !== sha256 || found.sha384 !== sha384)
    throw damaged(path, 'other bytes');
}

async function listFiles(folder: string, { index }: SignedIndex): Promise<readonly ReleaseFile[]> {
  const fileOf = (file: Omit<ReleaseFile, 'open'>): ReleaseFile => ({
    ...file,
    open: () => createReadStream(join(folder, file.name)) as AsyncIterable<Buffer>,
  });
  const own = await Promise.all(
    [
      { name: BUNDLE_FILE, mediaType: ARTIFACTS.attestation.mediaType },
      { name: INDEX_FILE, mediaType: 'application/vnd.holdfast.release.index.v1+json' },
    ].map(async (file) => {
      const { size, sha256 } = await digestFile(join(folder, file.name));
      return fileOf({ ...file, size, sha256 });
    }),
  );
  const artifacts = index.artifacts.map(({ name, mediaType, size, sha256 }) =>
    fileOf({ name, mediaType, size, sha256 }),
  );
  return [...artifacts, ...own];
}

async function readSmall(path: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw damaged(path, error.code ?? 'unreadable');
  });
  if (bytes.length > maxBytes) throw damaged(path, 'longer than its maximum');
  return bytes;
}

function damaged(path: string, reason: string): ReleaseError {
  return new ReleaseError('RELEASE_DAMAGED', 'a file of the release here is not what it was', {
    file: path,
    reason,
  });
}
