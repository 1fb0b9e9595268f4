import { ManifestError } from '../../../shared/documents/errors.ts';
import { type Manifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { sampleManifests } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** A node's manifest: what is taken is a quorum that can work. */
export const target: FuzzTarget = {
  maxBytes: 2048,
  seeds: sampleManifests,
  fuzz(data) {
    let manifest: Manifest;
    try {
      manifest = parseManifest(data);
    } catch (error) {
      if (error instanceof ManifestError) return;
      throw error;
    }
    const { node, quorum, configurationAuthority } = manifest;
    assertThat(node >= 1 && node <= quorum.size, 'a node outside its quorum');
    assertThat(quorum.threshold >= 1 && quorum.threshold <= quorum.size, 'an impossible threshold');
    assertThat(configurationAuthority.threshold >= 1, 'no authority has to sign');
  },
};
