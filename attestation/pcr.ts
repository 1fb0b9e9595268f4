import { isAllZero } from './bytes.ts';

/** Length of a PCR in bytes: a SHA-384 digest, the only one that the Nitro hypervisor computes. */
export const PCR_BYTES = 48;

/** Highest number of a PCR. */
export const MAX_PCR_INDEX = 31;

/** PCRs that measure every image: PCR0 the whole image, PCR1 kernel and first ramdisk, PCR2 the other ramdisks. */
export const IMAGE_PCRS: readonly number[] = Object.freeze([0, 1, 2]);

/** PCR values by number, 48 bytes each. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/**
 * Finds the first of PCR0, PCR1 and PCR2 that is all zero; undefined when none is. All three are zero in an enclave in
 * debug mode, which is open to the parent. A zero PCR3, PCR4 or PCR8 is merely unused.
 */
export function findDebugPcr(pcrs: PcrValues): number | undefined {
  return IMAGE_PCRS.find((index) => {
    const value = pcrs.get(index);
    return value !== undefined && isAllZero(value);
  });
}

/**
 * Whether a PCR is unused: absent, or zero because nothing was measured.
 *
 * @param value 48 bytes, or undefined for a PCR that the document does not have
 */
export function isUnusedPcr(value: Uint8Array | undefined): boolean {
  return value === undefined || isAllZero(value);
}
