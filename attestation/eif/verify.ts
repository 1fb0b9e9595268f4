import { describeEif, type DescribeOptions, type EifDescription } from './describe.ts';
import { equalBytes } from '../bytes.ts';
import { IMAGE_PCRS } from '../pcr.ts';
import { EifError } from './errors.ts';
import type { EifMeasurements } from './measurement.ts';
import type { EifSource } from './source.ts';

/** Who signed the image. */
const SIGNER_PCR = 8;

/** An image that is the expected one. */
export interface VerifiedEif extends EifDescription {
  /** Registers that were compared. */
  readonly matched: readonly number[];
  /** Registers of the expectation that no image decides: the parent's, the manifest's. */
  readonly notCompared: readonly number[];
}

/**
 * Describes an image and compares it with the registers of a pcr.json.
 * @param expected register index to value; 0, 1 and 2 at least
 * @throws RangeError when PCR0, PCR1 or PCR2 is not among the expected; EifError EIF_PCR_MISMATCH,
 *   EIF_PCR_UNEXPECTED when the image is signed and no PCR8 is expected, and all of `describeEif`
 */
export async function verifyEif(
  source: EifSource,
  expected: EifMeasurements,
  options: DescribeOptions = {},
): Promise<VerifiedEif> {
  for (const index of IMAGE_PCRS) {
    if (!expected.has(index)) throw new RangeError(`PCR${index} is not among the expected registers`);
  }
  const description = await describeEif(source, options);
  const compared = [...IMAGE_PCRS, SIGNER_PCR].filter((index) => expected.has(index));
  for (const index of compared) assertRegister(index, expected, description.measurements);
  const signer = description.measurements.get(SIGNER_PCR);
  if (signer !== undefined && !expected.has(SIGNER_PCR)) {
    throw new EifError('EIF_PCR_UNEXPECTED', 'the image is signed, but no PCR8 is expected', {
      pcr: SIGNER_PCR,
      actual: signer,
    });
  }
  return {
    ...description,
    matched: compared,
    notCompared: [...expected.keys()].filter((index) => !compared.includes(index)),
  };
}

function assertRegister(index: number, expected: EifMeasurements, actual: EifMeasurements): void {
  const wanted = expected.get(index) ?? new Uint8Array();
  const found = actual.get(index);
  if (found === undefined || !equalBytes(found, wanted)) {
    throw new EifError('EIF_PCR_MISMATCH', `PCR${index} of the image is another`, {
      pcr: index,
      expected: wanted,
      actual: found ?? 'the image is not signed',
    });
  }
}
