import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artifact, artifactOf, parseReleaseKey, ReleaseError } from '../../admin/artifacts/index.ts';
import { type ReleaseFiles, StepError } from '../../admin/vault/steps/index.ts';
import { openLocalRelease } from './releases/local-release.ts';
import type { RunPlace } from './run-options.ts';

/**
 * Opens a release as "vault fetch" has left it, and verifies it again.
 *
 * @param version the one that vault.yaml names when left out
 * @throws StepError VAULT_RELEASE_KEY_UNKNOWN; ReleaseError RELEASE_…
 */
export async function openRelease(
  { vault, releases }: Pick<RunPlace, 'vault' | 'releases'>,
  version: string = vault.document.release.version,
): Promise<ReleaseFiles> {
  const { publicKey } = vault.document.release;
  if (publicKey === null) {
    throw new StepError(
      'VAULT_RELEASE_KEY_UNKNOWN',
      'vault.yaml names no key that releases are signed with',
      {
        release: version,
      },
    );
  }
  const folder = join(releases, version);
  const { index } = await openLocalRelease(folder, version, parseReleaseKey(publicKey));
  const image = artifactOf(index, 'image');
  return {
    version,
    pcrJson: await readVerified(folder, artifactOf(index, 'measurements')),
    image: { sha384: image.sha384, bytes: image.size },
    readImage: async () => await readVerified(folder, image),
  };
}

/**
 * Reads a file of a release, whose bytes may have become others since they were verified: of pcr.json, key policies are made.
 *
 * @throws ReleaseError RELEASE_DAMAGED
 */
async function readVerified(folder: string, { name, sha384 }: Artifact): Promise<Uint8Array> {
  const path = join(folder, name);
  const bytes = new Uint8Array(await readFile(path));
  if (createHash('sha384').update(bytes).digest('hex') === sha384) return bytes;
  throw new ReleaseError('RELEASE_DAMAGED', 'a file of the release was changed while it was in use', {
    path,
  });
}
