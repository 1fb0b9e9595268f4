import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactOf, parseReleaseKey } from '../../admin/artifacts/index.ts';
import { type ReleaseFiles, StepError } from '../../admin/vault/steps/index.ts';
import { openLocalRelease } from './releases/local-release.ts';
import type { RunPlace } from './run-options.ts';

/**
 * Opens the release that vault.yaml names, as "vault fetch" has left it, and verifies it again.
 *
 * @throws StepError VAULT_RELEASE_KEY_UNKNOWN; ReleaseError RELEASE_…
 */
export async function openRelease({ vault, releases }: RunPlace): Promise<ReleaseFiles> {
  const { version, publicKey } = vault.document.release;
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
    pcrJson: new Uint8Array(await readFile(join(folder, artifactOf(index, 'measurements').name))),
    image: { sha384: image.sha384, bytes: image.size },
    readImage: async () => new Uint8Array(await readFile(join(folder, image.name))),
  };
}
