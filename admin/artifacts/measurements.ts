import { AttestationError, formatPcrFile, parsePcrFile, type PcrValues } from '../../attestation/index.ts';
import { EifError, type EifSource, verifyEif } from '../../attestation/eif/index.ts';
import { ReleaseError } from './errors.ts';
import type { ReleaseIndex } from './release-index.ts';

/**
 * Verifies that the image measures to what pcr.json and the index say, both of them.
 *
 * @param file bytes of pcr.json
 * @param image the image, which is read once
 * @returns measurements of the image, 48 bytes each
 * @throws ReleaseError RELEASE_MEASUREMENTS_DIFFER
 */
export async function verifyMeasurements(
  { measurements }: ReleaseIndex,
  file: Uint8Array,
  image: EifSource,
): Promise<PcrValues> {
  try {
    const pcrs = parsePcrFile(file);
    const indexed = new Map<number, Uint8Array>();
    for (const [name, value] of Object.entries(measurements)) {
      if (value !== undefined)
        indexed.set(Number(name.slice('PCR'.length)), new Uint8Array(Buffer.from(value, 'hex')));
    }
    if (formatPcrFile(pcrs) !== formatPcrFile(indexed)) {
      throw new ReleaseError('RELEASE_MEASUREMENTS_DIFFER', 'pcr.json is not what the index says', {
        expected: measurements,
      });
    }
    await verifyEif(image, pcrs);
    return pcrs;
  } catch (error) {
    if (!(error instanceof EifError) && !(error instanceof AttestationError)) throw error;
    throw new ReleaseError(
      'RELEASE_MEASUREMENTS_DIFFER',
      'the image does not measure to what pcr.json says',
      { reason: error.code },
      error,
    );
  }
}
