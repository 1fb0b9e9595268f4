import { concatBytes } from '@noble/hashes/utils.js';

const SIGHASH_BASES = [0x01, 0x02, 0x03];
const ANYONE_CAN_PAY = 0x80;

/**
 * Tells whether bytes are an ECDSA signature in strict DER (BIP-66) and a byte for one of the six sighash types: what a
 * signature of an input is by consensus and by Bitcoin Core's rules for relay.
 */
export function isEncodedSignature(bytes: Uint8Array): boolean {
  const der = bytes.subarray(0, -1);
  const sighashType = bytes.at(-1) ?? 0;
  if (!SIGHASH_BASES.includes(sighashType & ~ANYONE_CAN_PAY)) return false;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return false;
  const afterR = skipInteger(der, 2);
  return afterR !== undefined && skipInteger(der, afterR) === der.length;
}

/** Returns the offset behind a positive integer of at most 33 bytes in its shortest form. */
function skipInteger(der: Uint8Array, offset: number): number | undefined {
  const length = der[offset + 1] ?? 0;
  const end = offset + 2 + length;
  if (der[offset] !== 0x02 || length < 1 || length > 33 || end > der.length) return undefined;
  const [first = 0, second = 0] = der.subarray(offset + 2, end);
  const isNegative = first >= 0x80;
  const isPadded = length > 1 && first === 0 && second < 0x80;
  return isNegative || isPadded ? undefined : end;
}

/**
 * Encodes an ECDSA signature as an input's witness has it: DER, and the byte of its sighash type.
 *
 * @param signature r ‖ s, 64 bytes
 */
export function encodeSignature(signature: Uint8Array, sighashType: number): Uint8Array {
  const integers = concatBytes(
    encodeInteger(signature.subarray(0, 32)),
    encodeInteger(signature.subarray(32)),
  );
  return concatBytes(Uint8Array.of(0x30, integers.length), integers, Uint8Array.of(sighashType));
}

function encodeInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const significant = start === -1 ? Uint8Array.of(0) : bytes.subarray(start);
  const padded = (significant[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), significant) : significant;
  return concatBytes(Uint8Array.of(0x02, padded.length), padded);
}
