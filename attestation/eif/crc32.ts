/**
 * CRC-32 (ISO-HDLC, the one of zlib) of two pieces joined, from the CRC of each: the header holds the CRC of all that
 * follows it, so a builder that writes in one pass needs to put the header's CRC in front at the end.
 */
/** x^0 and the polynomial, with the coefficient of x^0 in the highest bit. */
const ONE = 0x8000_0000;
const POLYNOMIAL = 0xedb8_8320;
/** x^8: one zero byte. */
const BYTE = ONE >>> 8;

/** CRC-32 of `a ‖ b`; `lengthB` in bytes. */
export function combineCrc32(crcA: number, crcB: number, lengthB: number): number {
  let power = ONE;
  let square = BYTE;
  for (let rest = lengthB; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return (multiply(power, crcA) ^ crcB) >>> 0;
}

/** Product of two polynomials modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}
