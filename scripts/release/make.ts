import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ARTIFACT_KINDS,
  type ArtifactKind,
  ARTIFACTS,
  BUNDLE_FILE,
  encodeReleaseIndex,
  INDEX_FILE,
  RELEASE_INDEX_FORMAT,
  type ReleaseIndex,
} from '../../admin/artifacts/index.ts';
import { describeParentPackages } from './parent-sbom.ts';
import type { ReleaseSigner } from './sign.ts';

export interface ReleaseParts {
  /** Folder that scripts/build-eif has written. */
  readonly image: string;
  /** Bundle for the parent's hosts, a tar archive with gzip. */
  readonly parent: string;
  /** Text of package-lock.json. */
  readonly lock: string;
  readonly version: string;
  /** Commit of Git, hex. */
  readonly commit: string;
  readonly released: Date;
  /** Folder of releases; the release is a folder in it, named by its version, which must not be there. */
  readonly out: string;
}

/** Artifacts that scripts/build-eif has made. */
const FROM_IMAGE: readonly ArtifactKind[] = ['image', 'measurements', 'imageFiles', 'sbom', 'provenance'];

/** Makes a release and signs it. @returns the release's folder */
export function makeRelease(parts: ReleaseParts, signer: ReleaseSigner): string {
  const { image, parent, lock, version, commit, released, out } = parts;
  const place = join(out, version);
  const staging = join(out, `.${version}.making-${process.pid}`);
  mkdirSync(staging, { recursive: true });
  try {
    const at = (kind: ArtifactKind) => join(staging, ARTIFACTS[kind].name);
    for (const kind of FROM_IMAGE) copyFileSync(join(image, ARTIFACTS[kind].name), at(kind));
    copyFileSync(parent, at('parent'));
    const sbom = describeParentPackages(lock, readFileSync(parent));
    writeFileSync(at('parentSbom'), `${JSON.stringify(sbom, undefined, 2)}\n`);
    writeFileSync(at('attestation'), signer.signStatement(readFileSync(at('provenance'))));
    const { Measurements: measured } = JSON.parse(readFileSync(at('measurements'), 'utf8')) as {
      Measurements: ReleaseIndex['measurements'] & { HashAlgorithm?: string };
    };
    const { HashAlgorithm: _, ...measurements } = measured;
    const index = encodeReleaseIndex({
      format: RELEASE_INDEX_FORMAT,
      version,
      commit,
      released: released.toISOString(),
      measurements,
      artifacts: ARTIFACT_KINDS.map((kind) => {
        const bytes = readFileSync(at(kind));
        const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
        const { name, mediaType } = ARTIFACTS[kind];
        return {
          kind,
          name,
          mediaType,
          size: bytes.length,
          sha256: digest('sha256'),
          sha384: digest('sha384'),
        };
      }),
    });
    writeFileSync(join(staging, INDEX_FILE), index);
    writeFileSync(join(staging, BUNDLE_FILE), signer.signBlob(index));
    renameSync(staging, place);
    return place;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
