import { MANIFEST_PCR, type PcrValues } from '../../attestation/index.ts';
import { AdminError } from '../errors.ts';

/**
 * Adds a node's manifest to the measurements of the image that it is to start.
 *
 * @param pcr16 PCR16 of the manifest, 48 bytes
 * @throws AdminError MANIFEST_PCR_MISMATCH when the measurements name another manifest
 */
export function pinManifest(pcrs: PcrValues, pcr16: Uint8Array): PcrValues {
  const present = pcrs.get(MANIFEST_PCR);
  if (present !== undefined && !Buffer.from(present).equals(pcr16)) {
    throw new AdminError('MANIFEST_PCR_MISMATCH', 'pcr.json names the PCR16 of another manifest', {
      expected: Buffer.from(pcr16).toString('hex'),
      actual: Buffer.from(present).toString('hex'),
    });
  }
  return new Map([...pcrs, [MANIFEST_PCR, pcr16]]);
}

/** The same for an image that may stay, which keeps the manifest that its own pcr.json names. */
export function pinManifestIfUnnamed(pcrs: PcrValues, pcr16: Uint8Array): PcrValues {
  return pcrs.has(MANIFEST_PCR) ? pcrs : new Map([...pcrs, [MANIFEST_PCR, pcr16]]);
}
