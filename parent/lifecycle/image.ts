import { open, readFile } from 'node:fs/promises';
import { CHUNK_BYTES, EifError, verifyEif } from '../../attestation/eif/index.ts';
import { AttestationError } from '../../attestation/errors.ts';
import { parsePcrFile } from '../../attestation/pcr-file.ts';
import { EnclaveError } from './errors.ts';

/** Measurements of an image: PCR0, PCR1, PCR2 and, of a signed image, PCR8; register to lower-case hex. */
export type ImageMeasurements = ReadonlyMap<number, string>;

const IMAGE_PCRS = [0, 1, 2, 8];

/**
 * Measures an image and compares the result with pcr.json, so that an image that nobody has approved is not started. No
 * secret depends on this check: KMS compares again.
 * @throws EnclaveError ENCLAVE_IMAGE_UNEXPECTED
 */
export async function checkImage(image: string, pcrFile: string): Promise<ImageMeasurements> {
  try {
    const expected = parsePcrFile(await readFile(pcrFile));
    await using file = await open(image, 'r');
    const { size } = await file.stat();
    const buffer = new Uint8Array(CHUNK_BYTES);
    const source = {
      size,
      async read(offset: number, length: number) {
        const target = length <= buffer.length ? buffer : new Uint8Array(length);
        const { bytesRead } = await file.read(target, 0, length, offset);
        return target.subarray(0, bytesRead);
      },
    };
    await verifyEif(source, expected);
    return new Map(
      [...expected]
        .filter(([index]) => IMAGE_PCRS.includes(index))
        .map(([index, value]) => [index, Buffer.from(value).toString('hex')]),
    );
  } catch (error) {
    const code = error instanceof EifError || error instanceof AttestationError ? error.code : undefined;
    throw new EnclaveError(
      'ENCLAVE_IMAGE_UNEXPECTED',
      'the image is not the one that pcr.json names',
      { image, reason: code },
      error,
    );
  }
}
