const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const HEADER = Buffer.from('-----BEGIN PRIVATE KEY-----\n');
const FOOTER = Buffer.from('-----END PRIVATE KEY-----\n');
const PAD = '='.charCodeAt(0);
const NEWLINE = '\n'.charCodeAt(0);
const LINE_CHARACTERS = 64;

/**
 * Encodes a PKCS #8 private key in PEM (RFC 7468) without a string on the way, since a string cannot be cleared. The
 * caller clears `der` and the result.
 */
export function encodePrivateKeyPem(der: Uint8Array): Buffer {
  const characters = Math.ceil(der.length / 3) * 4;
  const lines = Math.ceil(characters / LINE_CHARACTERS);
  // Buffer.alloc takes memory of its own, where Buffer.from would take a slice of a pool that others share.
  const pem = Buffer.alloc(HEADER.length + characters + lines + FOOTER.length, NEWLINE);
  let out = HEADER.copy(pem);
  const start = out;
  for (let index = 0; index < der.length; index += 3) {
    const left = der.length - index;
    const group = ((der[index] ?? 0) << 16) | ((der[index + 1] ?? 0) << 8) | (der[index + 2] ?? 0);
    for (let digit = 0; digit < 4; digit += 1) {
      pem[out++] = digit <= left ? (ALPHABET[(group >> (18 - 6 * digit)) & 63] ?? PAD) : PAD;
    }
    // A line holds 16 whole groups, so that a newline never falls within a group.
    if ((out - start + 1) % (LINE_CHARACTERS + 1) === 0) out += 1;
  }
  FOOTER.copy(pem, pem.length - FOOTER.length);
  return pem;
}
