import { isAllZero } from './bytes.ts';

/** SHA-384 throughout: the only digest that the Nitro hypervisor has. */
export const PCR_BYTES = 48;
export const MAX_PCR_INDEX = 31;

/** What every image has: PCR0 all of it, PCR1 kernel and first ramdisk, PCR2 the other ramdisks. */
export const IMAGE_PCRS: readonly number[] = Object.freeze([0, 1, 2]);

/** PCR values by number, 48 bytes each. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/**
 * The first of PCR0, PCR1 and PCR2 that is all zero, as all three are when an enclave runs in debug mode, its memory
 * open to the parent. A zero PCR3, PCR4 or PCR8 is none of that: it is unused.
 */
export function findDebugPcr(pcrs: PcrValues): number | undefined {
  return IMAGE_PCRS.find((index) => {
    const value = pcrs.get(index);
    return value !== undefined && isAllZero(value);
  });
}

/** Whether a PCR says nothing: absent, or zero because nothing was ever measured into it. */
export function isUnusedPcr(value: Uint8Array | undefined): boolean {
  return value === undefined || isAllZero(value);
}
