import { describeEif, type DescribeOptions, type EifDescription } from './describe.ts';
import { equalBytes } from '../bytes.ts';
import { IMAGE_PCRS } from '../pcr.ts';
import { EifError } from './errors.ts';
import type { EifMeasurements } from './measurement.ts';
import type { EifSource } from './source.ts';

/** Number of the PCR that measures the signing certificate. */
const SIGNER_PCR = 8;

/** A description of an image that has the expected measurements. */
export interface VerifiedEif extends EifDescription {
  /** Numbers of the PCRs that were compared. */
  readonly matched: readonly number[];
  /** Numbers of the expected PCRs that no image decides: those of the parent and of the manifest. */
  readonly notCompared: readonly number[];
}

/**
 * Describes an image and compares its measurements with those of a pcr.json.
 *
 * @param expected PCR values by number, 48 bytes each; PCR0, PCR1 and PCR2 at least, as `parsePcrFile` returns them
 * @throws EifError EIF_PCR_MISMATCH; EIF_PCR_UNEXPECTED when the image is signed and no PCR8 is expected; the codes of
 *   `describeEif`
 * @throws RangeError when PCR0, PCR1 or PCR2 is not among the expected
 *
 * Source: AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { memorySource, verifyEif } from '@holdfast-nodes/holdfast/attestation/eif';
 *
 * const expected = parsePcrFile(await readFile('eif.pcr.json'));
 * const { matched } = await verifyEif(memorySource(await readFile('enclave.eif')), expected);
 * console.log(matched.join()); // 0,1,2
 * ```
 */
export async function verifyEif(
  source: EifSource,
  expected: EifMeasurements,
  options: DescribeOptions = {},
): Promise<VerifiedEif> {
  for (const index of IMAGE_PCRS) {
    if (!expected.has(index))
      throw new RangeError(`expected lacks PCR${index}: PCR0, PCR1 and PCR2 are needed`);
  }
  const description = await describeEif(source, options);
  const compared = [...IMAGE_PCRS, SIGNER_PCR].filter((index) => expected.has(index));
  for (const index of compared) assertRegister(index, expected, description.measurements);
  const signer = description.measurements.get(SIGNER_PCR);
  if (signer !== undefined && !expected.has(SIGNER_PCR)) {
    throw new EifError('EIF_PCR_UNEXPECTED', 'the image is signed and expected lacks PCR8', {
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
    throw new EifError('EIF_PCR_MISMATCH', `PCR${index} of the image is not the expected value`, {
      pcr: index,
      expected: wanted,
      actual: found ?? 'the image is not signed',
    });
  }
}
