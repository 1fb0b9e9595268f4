const GENERATOR = [
  0xe0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009, 0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890,
  0x3f3f120,
];
/** Words of the checksum. */
export const CHECKSUM_WORDS = 3;

/** Computes the remainder of the Reed-Solomon code over GF(1024) (SLIP-0039, "Checksum"). */
function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 20;
    checksum = ((checksum & 0xfffff) << 10) ^ value;
    for (const [bit, term] of GENERATOR.entries()) if (((top >>> bit) & 1) === 1) checksum ^= term;
  }
  return checksum;
}

const bytesOf = (customisation: string): number[] => [...Buffer.from(customisation)];

/** Makes the checksum of the words' indices: three words. */
export function makeChecksum(customisation: string, indices: readonly number[]): number[] {
  const value = polymod([...bytesOf(customisation), ...indices, 0, 0, 0]) ^ 1;
  return [(value >>> 20) & 1023, (value >>> 10) & 1023, value & 1023];
}

/** Tells whether the last three indices are the checksum of the others. */
export function hasChecksum(customisation: string, indices: readonly number[]): boolean {
  return polymod([...bytesOf(customisation), ...indices]) === 1;
}
