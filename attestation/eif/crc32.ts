/**
 * CRC-32 (ISO-HDLC, as zlib's) of two pieces joined, from the CRC of each. The header of an image comes first and holds the
 * CRC of everything; a builder that writes in one pass knows the header last, and joins its CRC to that of the rest.
 */
/** The polynomials x^0 and that of CRC-32, with the coefficient of x^0 in the highest bit. */
const ONE = 0x8000_0000;
const POLYNOMIAL = 0xedb8_8320;
/** The polynomial x^8: one zero byte. */
const BYTE = ONE >>> 8;

/** Computes the CRC-32 of `a ‖ b`; `lengthB` in bytes. */
export function combineCrc32(crcA: number, crcB: number, lengthB: number): number {
  let power = ONE;
  let square = BYTE;
  for (let rest = lengthB; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return (multiply(power, crcA) ^ crcB) >>> 0;
}

/** Multiplies two polynomials modulo that of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}
