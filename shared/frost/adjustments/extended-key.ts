import { createHash } from 'node:crypto';

/**
 * The chain code of keys that have none of their own: BIP-328's, SHA-256 of "MuSig2MuSig2MuSig2". Public, and the same for
 * each epoch and each way in which a key was made.
 */
export const AGGREGATE_CHAIN_CODE: Uint8Array = new Uint8Array(
  createHash('sha256').update('MuSig2MuSig2MuSig2').digest(),
);

/** Version bytes of an extended public key of the main network: BIP-32, "xpub". */
const XPUB = Uint8Array.of(0x04, 0x88, 0xb2, 0x1e);
/** Depth, fingerprint of the parent and number of the child: a root has none. */
const ROOT_BYTES = 9;
const CHECKSUM_BYTES = 4;
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/**
 * Encodes a key and its chain code as an extended public key: BIP-32, "Serialization format", as a root (BIP-328).
 *
 * @param publicKey 33 bytes, compressed SEC1
 * @param chainCode 32 bytes
 */
export function encodeExtendedKey(publicKey: Uint8Array, chainCode: Uint8Array): string {
  const payload = Buffer.concat([XPUB, Buffer.alloc(ROOT_BYTES), chainCode, publicKey]);
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const bytes = Buffer.concat([payload, sha256(sha256(payload)).subarray(0, CHECKSUM_BYTES)]);
  let text = '';
  // The version is not zero, so that no zeros lead.
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); rest > 0n; rest /= 58n)
    text = (ALPHABET[Number(rest % 58n)] ?? '') + text;
  return text;
}
