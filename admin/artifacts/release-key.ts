import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ReleaseError } from './errors.ts';

const MAX_KEY_BYTES = 4096;

/** Digest with which a key of each curve signs, as cosign has it. */
const DIGESTS: Readonly<Record<string, 'sha256' | 'sha384'>> = { prime256v1: 'sha256', secp384r1: 'sha384' };

/** Key of whoever makes releases, and the hint by which Sigstore bundles name it. */
export interface ReleaseKey {
  readonly publicKey: KeyObject;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Base64 of SHA-256 of the SubjectPublicKeyInfo. */
  readonly hint: string;
  readonly digest: 'sha256' | 'sha384';
}

/**
 * Parses the public key of a release: PEM, as `cosign generate-key-pair` and `cosign public-key` write it.
 * @throws ReleaseError RELEASE_KEY_MALFORMED
 */
export function parseReleaseKey(pem: string): ReleaseKey {
  // createPublicKey would take a private key, too, and derive its public half.
  const isPublic =
    pem.length <= MAX_KEY_BYTES &&
    /^\s*-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\s*$/.test(pem);
  try {
    if (isPublic) return describeKey(createPublicKey(pem));
  } catch (error) {
    if (error instanceof ReleaseError) throw error;
  }
  throw malformed();
}

/** Describes a key that is at hand. @throws ReleaseError RELEASE_KEY_MALFORMED for one of another curve */
export function describeKey(publicKey: KeyObject): ReleaseKey {
  const curve = publicKey.asymmetricKeyDetails?.namedCurve ?? '';
  const digest = Object.hasOwn(DIGESTS, curve) ? DIGESTS[curve] : undefined;
  if (publicKey.asymmetricKeyType !== 'ec' || digest === undefined) throw malformed();
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { publicKey, spki, hint: createHash('sha256').update(spki).digest('base64'), digest };
}

function malformed(): ReleaseError {
  return new ReleaseError(
    'RELEASE_KEY_MALFORMED',
    'expected the public key of the release in PEM: ECDSA over P-256 or P-384, as cosign writes it',
  );
}
