import { bytesToNumberBE, bytesToNumberLE } from '@noble/curves/utils.js';
import { type IField } from '@noble/curves/abstract/modular.js';
import { type ScalarField } from './group.ts';

const SCALAR_BYTES = 32;
const MAX_REDUCED_BYTES = 64;

/** Builds the arithmetic of scalars, as bytes, over a field of @noble/curves. */
export function createScalarField(Fn: IField<bigint>): ScalarField {
  const isLittleEndian = Fn.isLE;
  const read = isLittleEndian ? bytesToNumberLE : bytesToNumberBE;
  const parse = (bytes: Uint8Array): bigint => {
    const value = bytes.length === SCALAR_BYTES ? read(bytes) : Fn.ORDER;
    if (value >= Fn.ORDER) throw new RangeError('expected a reduced scalar of 32 bytes');
    return value;
  };
  const write = (value: bigint) => new Uint8Array(Fn.toBytes(value));
  return Object.freeze({
    order: Fn.ORDER,
    isLittleEndian,
    isCanonical: (bytes: Uint8Array) => bytes.length === SCALAR_BYTES && read(bytes) < Fn.ORDER,
    isZero: (scalar: Uint8Array) => parse(scalar) === 0n,
    fromNumber(value: bigint | number) {
      const number = BigInt(value);
      if (number < 0n || number >= Fn.ORDER) throw new RangeError('expected a number below the order');
      return write(number);
    },
    reduce(bytes: Uint8Array) {
      if (bytes.length < SCALAR_BYTES || bytes.length > MAX_REDUCED_BYTES)
        throw new RangeError('expected 32 to 64 bytes');
      return write(read(bytes) % Fn.ORDER);
    },
    add: (a: Uint8Array, b: Uint8Array) => write(Fn.add(parse(a), parse(b))),
    subtract: (a: Uint8Array, b: Uint8Array) => write(Fn.sub(parse(a), parse(b))),
    multiply: (a: Uint8Array, b: Uint8Array) => write(Fn.mul(parse(a), parse(b))),
    negate: (a: Uint8Array) => write(Fn.neg(parse(a))),
    invert(a: Uint8Array) {
      const value = parse(a);
      if (value === 0n) throw new RangeError('zero has no inverse');
      return write(Fn.inv(value));
    },
  });
}
