import {
  constants,
  createHash,
  createPublicKey,
  privateEncrypt,
  publicDecrypt,
  sign as signRaw,
  verify as verifyRaw,
  type KeyObject,
} from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { encodeNull, encodeOctetString, encodeOid, encodeSequence } from '../../../shared/asn1/index.ts';
import { assertMessage, type Curve, type SignedMessage, specDetails } from '../../../shared/kms/index.ts';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { privateKeyOf } from './key-material.ts';
import { currentMaterial, type Key } from './key-store.ts';
import { signPssDigest, verifyPssDigest } from './rsa-pss.ts';

const ECDSA = { 'P-256': p256, 'P-384': p384, 'P-521': p521, secp256k1 } as const;
const HASH_OIDS: Readonly<Record<string, string>> = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/**
 * Signs with a key whose algorithm was checked. Like AWS's, signatures of ECDSA and PSS differ each time and have any
 * s.
 * @throws AwsServiceError ValidationException, UnsupportedOperationException
 */
export function signMessage(key: Key, signed: SignedMessage): Uint8Array {
  assertMessage(signed);
  const privateKey = privateKeyOf(currentMaterial(key));
  const { message } = signed;
  const details = specDetails(key.spec);
  switch (details.type) {
    case 'ec': {
      const options = { prehash: false, lowS: false, extraEntropy: true, format: 'der' } as const;
      return ECDSA[details.curve].sign(digestOf(signed), scalarOf(privateKey), options);
    }
    case 'rsa': {
      const digest = digestOf(signed);
      if (signed.algorithm.startsWith('RSASSA_PSS')) return signPssDigest(privateKey, hashOf(signed), digest);
      const padded = { key: privateKey, padding: constants.RSA_PKCS1_PADDING };
      return privateEncrypt(padded, digestInfo(hashOf(signed), digest));
    }
    case 'ed25519':
      return isPrehashed(signed)
        ? ed25519ph.sign(message, scalarOf(privateKey))
        : signRaw(null, message, privateKey);
    case 'ml-dsa':
      assertRaw(signed);
      return signRaw(null, message, privateKey);
    case 'symmetric':
    case 'hmac':
    case 'ml-kem':
    default:
      throw new TypeError(`expected a key that signs, found ${key.spec}`);
  }
}

/** Verifies a signature. @throws AwsServiceError ValidationException, UnsupportedOperationException */
export function verifyMessage(key: Key, signed: SignedMessage, signature: Uint8Array): boolean {
  assertMessage(signed);
  const publicKey = createPublicKey(privateKeyOf(currentMaterial(key)));
  const { message } = signed;
  const details = specDetails(key.spec);
  switch (details.type) {
    case 'ec':
      return verifyEcdsa(details.curve, publicKey, digestOf(signed), signature);
    case 'rsa': {
      const digest = digestOf(signed);
      // RFC 8017, 8.1.2 and 8.2.2, step 1. Left out, a signature whose first byte is 0 would verify without that byte too.
      if (8 * signature.length !== publicKey.asymmetricKeyDetails?.modulusLength) return false;
      return signed.algorithm.startsWith('RSASSA_PSS')
        ? verifyPssDigest(publicKey, hashOf(signed), digest, signature)
        : verifyPkcs1(publicKey, digestInfo(hashOf(signed), digest), signature);
    }
    case 'ed25519':
      return isPrehashed(signed)
        ? signature.length === 64 && ed25519ph.verify(signature, message, rawPoint(publicKey))
        : verifyRaw(null, message, publicKey, signature);
    case 'ml-dsa':
      assertRaw(signed);
      return verifyRaw(null, message, publicKey, signature);
    case 'symmetric':
    case 'hmac':
    case 'ml-kem':
    default:
      throw new TypeError(`expected a key that verifies, found ${key.spec}`);
  }
}

function verifyEcdsa(curve: Curve, key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  try {
    return ECDSA[curve].verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' });
  } catch {
    // The bytes are no signature in DER at all.
    return false;
  }
}

function verifyPkcs1(key: KeyObject, expected: Uint8Array, signature: Uint8Array): boolean {
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).equals(expected);
  } catch {
    return false;
  }
}

/** Digest that is signed: made here, or by the caller. */
function digestOf(signed: SignedMessage): Uint8Array {
  if (signed.messageType === 'DIGEST') return signed.message;
  return createHash(hashOf(signed)).update(signed.message).digest();
}

function hashOf({ algorithm }: SignedMessage): string {
  return `sha${algorithm.slice(-3)}`;
}

/** Encodes DigestInfo of PKCS #1, RFC 8017 section 9.2. */
function digestInfo(hash: string, digest: Uint8Array): Uint8Array {
  return encodeSequence(
    encodeSequence(encodeOid(HASH_OIDS[hash] ?? ''), encodeNull()),
    encodeOctetString(digest),
  );
}

/** ED25519_PH_SHA_512 takes a digest, which it hashes once more; ED25519_SHA_512 takes the message. */
function isPrehashed({ algorithm }: SignedMessage): boolean {
  return algorithm === 'ED25519_PH_SHA_512';
}

function assertRaw({ messageType }: SignedMessage): void {
  if (messageType === 'EXTERNAL_MU') {
    throw new AwsServiceError('UnsupportedOperationException', 'The stand-in signs no EXTERNAL_MU');
  }
}

/** Private scalar of an elliptic curve key, or the seed of an Ed25519 key. */
function scalarOf(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
}

function rawPoint(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}
