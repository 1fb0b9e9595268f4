import { constants, createHash, createPublicKey, publicDecrypt, verify, type KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { encodeNull, encodeOctetString, encodeOid, encodeSequence } from '../../../shared/asn1/index.ts';
import { AwsServiceError } from '../../../shared/aws-json/index.ts';
import type { SignedMessage } from '../../../shared/kms/index.ts';

const CURVES = { prime256v1: p256, secp384r1: p384, secp256k1 } as const;
const HASHES: Readonly<Record<string, { readonly name: string; readonly oid: string }>> = {
  '256': { name: 'sha256', oid: '2.16.840.1.101.3.4.2.1' },
  '384': { name: 'sha384', oid: '2.16.840.1.101.3.4.2.2' },
  '512': { name: 'sha512', oid: '2.16.840.1.101.3.4.2.3' },
};

/**
 * Verifies a signature of a message or a digest by a public key.
 *
 * @param publicKey SubjectPublicKeyInfo in DER, from a verified node
 * @throws AwsServiceError UnsupportedOperationException for digests under RSASSA-PSS
 */
export function verifyMessage(
  publicKey: Uint8Array,
  signed: SignedMessage & { readonly signature: Uint8Array },
): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const { algorithm, message, signature, messageType } = signed;
  if (algorithm === 'ED25519_SHA_512') return verify(null, message, key, signature);
  if (algorithm === 'ED25519_PH_SHA_512')
    return isValid(() => ed25519ph.verify(signature, message, rawEd25519(key)));
  const hash = HASHES[algorithm.slice(-3)];
  if (hash === undefined) return false;
  const digest = messageType === 'DIGEST' ? message : createHash(hash.name).update(message).digest();
  if (algorithm.startsWith('ECDSA_')) return verifyEcdsa(key, digest, signature);
  if (algorithm.startsWith('RSASSA_PKCS1')) return verifyPkcs1(key, hash.oid, digest, signature);
  if (messageType === 'DIGEST')
    throw new AwsServiceError(
      'UnsupportedOperationException',
      'Verify of a digest under RSASSA_PSS is not to be had.',
    );
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(hash.name, message, { key, ...padding }, signature);
}

function verifyEcdsa(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const name = key.asymmetricKeyDetails?.namedCurve ?? '';
  const curve = CURVES[name as keyof typeof CURVES];
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return isValid(() =>
    curve.verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' }),
  );
}

/** RSASSA-PKCS1-v1_5 by comparison (RFC 8017, 8.2.2). */
function verifyPkcs1(key: KeyObject, oid: string, digest: Uint8Array, signature: Uint8Array): boolean {
  const info = encodeSequence(encodeSequence(encodeOid(oid), encodeNull()), encodeOctetString(digest));
  return isValid(() => publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).equals(info));
}

function rawEd25519(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

/** Whatever cannot be read as a signature is none. */
function isValid(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
