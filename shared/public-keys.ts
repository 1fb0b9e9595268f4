import { p256, p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';

/** The key types whose public keys have a SubjectPublicKeyInfo here. */
export const PUBLIC_KEY_TYPES = [
  'ed25519',
  'p256',
  'p384',
  'secp256k1',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
] as const;
export type PublicKeyType = (typeof PUBLIC_KEY_TYPES)[number];

export interface PublicKey {
  readonly type: PublicKeyType;
  /** Raw Ed25519, compressed SEC1, or the SubjectPublicKeyInfo itself of RSA. */
  readonly publicKey: Uint8Array;
}

/** A SubjectPublicKeyInfo in DER: the bytes before the key, its length, the bytes behind it. */
interface Form {
  readonly before: Uint8Array;
  readonly bytes: number;
  readonly after: Uint8Array;
}

const form = (before: string, bytes: number, after = ''): Form => ({
  before: hexToBytes(before),
  bytes,
  after: hexToBytes(after),
});
/** Exponent of RSA keys, 65537: the INTEGER behind the modulus. */
const EXPONENT = '0203010001';

/**
 * One form for each type: RFC 5480 with an uncompressed point, RFC 8410, and RFC 3279 with the exponent 65537. What is
 * written otherwise (a compressed point, explicit curve parameters, absent NULL, another exponent) is no public key here.
 */
const FORMS: Readonly<Record<PublicKeyType, Form>> = {
  ed25519: form('302a300506032b6570032100', 32),
  p256: form('3059301306072a8648ce3d020106082a8648ce3d030107034200', 65),
  p384: form('3076301006072a8648ce3d020106052b81040022036200', 97),
  secp256k1: form('3056301006072a8648ce3d020106052b8104000a034200', 65),
  'rsa-2048': form('30820122300d06092a864886f70d01010105000382010f003082010a0282010100', 256, EXPONENT),
  'rsa-3072': form('308201a2300d06092a864886f70d01010105000382018f003082018a0282018100', 384, EXPONENT),
  'rsa-4096': form('30820222300d06092a864886f70d01010105000382020f003082020a0282020100', 512, EXPONENT),
};
const POINTS = { p256: p256.Point, p384: p384.Point, secp256k1: secp256k1.Point } as const;
const RAW_ED25519_BYTES = 32;

/**
 * Encodes a public key as a SubjectPublicKeyInfo in DER.
 *
 * @throws RangeError for what is no public key of the type
 */
export function encodePublicKey({ type, publicKey }: PublicKey): Uint8Array {
  switch (type) {
    case 'ed25519':
      if (publicKey.length !== RAW_ED25519_BYTES) throw new RangeError('expected 32 bytes of an Ed25519 key');
      return concatBytes(FORMS.ed25519.before, publicKey);
    case 'p256':
    case 'p384':
    case 'secp256k1': {
      const point = readPoint(type, publicKey);
      if (point === undefined) throw new RangeError(`expected a point of ${type} in SEC1`);
      return concatBytes(FORMS[type].before, point.toBytes(false));
    }
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
    default:
      if (parsePublicKey(publicKey)?.type !== type)
        throw new RangeError(`expected a SubjectPublicKeyInfo of ${type}`);
      return publicKey;
  }
}

/**
 * Parses a SubjectPublicKeyInfo in DER, strictly: one spelling for each key, and points that are on their curve.
 *
 * @returns undefined for whatever else
 */
export function parsePublicKey(der: Uint8Array): PublicKey | undefined {
  const type = PUBLIC_KEY_TYPES.find((each) => hasForm(der, FORMS[each]));
  if (type === undefined) return undefined;
  const { before, bytes } = FORMS[type];
  const key = der.subarray(before.length, before.length + bytes);
  switch (type) {
    case 'ed25519':
      return { type, publicKey: key };
    case 'p256':
    case 'p384':
    case 'secp256k1': {
      const point = readPoint(type, key);
      return point && { type, publicKey: point.toBytes(true) };
    }
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
    default:
      // A modulus has its whole length, and is odd.
      return (key[0] ?? 0) >= 0x80 && (key.at(-1) ?? 0) % 2 === 1 ? { type, publicKey: der } : undefined;
  }
}

/** Reads the modulus of an RSA key's SubjectPublicKeyInfo, big endian; undefined for whatever else. */
export function readRsaModulus(der: Uint8Array): Uint8Array | undefined {
  const parsed = parsePublicKey(der);
  if (!parsed?.type.startsWith('rsa-')) return undefined;
  const { before, bytes } = FORMS[parsed.type];
  return der.subarray(before.length, before.length + bytes);
}

function hasForm(der: Uint8Array, { before, bytes, after }: Form): boolean {
  const end = before.length + bytes;
  return (
    der.length === end + after.length &&
    before.every((byte, index) => der[index] === byte) &&
    after.every((byte, index) => der[end + index] === byte)
  );
}

function readPoint(type: keyof typeof POINTS, bytes: Uint8Array) {
  try {
    return POINTS[type].fromBytes(bytes);
  } catch {
    return undefined;
  }
}
