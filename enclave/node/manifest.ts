import { createHash } from 'node:crypto';
import { MANIFEST_PCR } from '../../attestation/index.ts';
import {
  digestManifest,
  type Manifest,
  type NodeManifest,
  parseManifest,
} from '../../shared/documents/manifest.ts';
import type { NsmClient } from '../nsm/index.ts';
import { BootError } from './errors.ts';
import type { NodePlace } from './node-keys.ts';

/** A manifest and its measurement: PCR16 vouches for it in an enclave, whoever started the node in a cold one. */
export interface MeasuredManifest<Kind extends NodeManifest = NodeManifest> {
  readonly manifest: Kind & Pick<NodePlace, 'kind'>;
  /** SHA-384 of the manifest's bytes, which PCR16 was extended with. */
  readonly digest: Uint8Array;
}

/**
 * Extends PCR16 with the SHA-384 of the manifest's bytes and locks it, then parses them. Nothing is read from the
 * bytes before they are measured; a second manifest cannot follow.
 *
 * @throws BootError MANIFEST_PCR_USED, MANIFEST_PCR_MISMATCH; ManifestError MANIFEST_MALFORMED; NsmError
 */
export async function measureManifest(
  nsm: NsmClient,
  bytes: Uint8Array,
): Promise<MeasuredManifest<Manifest>> {
  const before = await nsm.describePcr(MANIFEST_PCR);
  if (before.locked || before.value.some((byte) => byte !== 0)) {
    throw new BootError(
      'MANIFEST_PCR_USED',
      'expected PCR16 zero and unlocked before the manifest is measured',
    );
  }
  const digest = digestManifest(bytes);
  await nsm.extendPcr(MANIFEST_PCR, digest);
  await nsm.lockPcr(MANIFEST_PCR);
  const { locked, value } = await nsm.describePcr(MANIFEST_PCR);
  const expected = createHash('sha384').update(new Uint8Array(48)).update(digest).digest();
  if (!locked || Buffer.compare(value, expected) !== 0) {
    throw new BootError(
      'MANIFEST_PCR_MISMATCH',
      'expected PCR16 locked with the digest of the manifest in it',
      {
        expected: expected.toString('hex'),
        actual: Buffer.from(value).toString('hex'),
      },
    );
  }
  return { manifest: parseManifest(bytes), digest };
}

/** Returns the name of a node, by which people and witnesses know it. */
export function nodeName({ kind, namespace, environment, node }: NodePlace): string {
  return `${kind ?? 'node'}-${node}.${environment}.${namespace}.holdfast.internal`;
}

/** Returns the origin of a node's log (C2SP tlog-checkpoint), which is also the name of its key. */
export function logOrigin(place: NodePlace): string {
  return `${nodeName(place)}/log`;
}

/** Returns the name by which a node cosigns checkpoints of other nodes' logs (C2SP tlog-cosignature). */
export function witnessName(place: NodePlace): string {
  return `${nodeName(place)}/witness`;
}
