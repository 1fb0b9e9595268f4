import { eddsa } from '@noble/curves/abstract/edwards.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const PREFIX = utf8ToBytes('SigEd25519 no Ed25519 collisions');

/**
 * Ed25519ph with an empty context (RFC 8032, 5.1 and 8.5), over the SHA-512 that a caller has made: noble's own takes the
 * message. Verification takes no point that is encoded otherwise than RFC 8032 says.
 */
export const ed25519OfDigest = eddsa(ed25519.Point, sha512, {
  adjustScalarBytes(bytes: Uint8Array<ArrayBuffer>) {
    bytes[0] = (bytes[0] ?? 0) & 0xf8;
    bytes[31] = ((bytes[31] ?? 0) & 0x7f) | 0x40;
    return bytes;
  },
  zip215: false,
  domain: (data: Uint8Array, context: Uint8Array) =>
    concatBytes(PREFIX, Uint8Array.of(1, context.length), context, data),
  prehash: (digest: Uint8Array<ArrayBuffer>) => digest,
});
