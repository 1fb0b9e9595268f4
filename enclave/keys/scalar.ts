import { KeyError } from './errors.ts';

/** Orders of the curves (SEC 2, 2.4.2 and 2.5.1; draft-irtf-cfrg-pairing-friendly-curves, 4.2.1), big endian. */
const ORDERS = {
  p256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  p384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  'bls12-381': '73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001',
} as const;

/**
 * Asserts that bytes are a scalar from 1 to the order less one. The time depends on neither, and no copy is made.
 *
 * @throws KeyError KEY_MALFORMED
 */
export function assertScalar(curve: keyof typeof ORDERS, bytes: Uint8Array): void {
  const order = Buffer.from(ORDERS[curve], 'hex');
  let borrow = 0;
  let any = 0;
  for (let index = order.length - 1; index >= 0; index -= 1) {
    const byte = bytes[index] ?? 0;
    borrow = ((byte - (order[index] ?? 0) - borrow) >> 8) & 1;
    any |= byte;
  }
  if (bytes.length === order.length && borrow === 1 && any !== 0) return;
  throw new KeyError(
    'KEY_MALFORMED',
    `expected a scalar of ${curve}, found zero or a number from the order of the curve on`,
  );
}
