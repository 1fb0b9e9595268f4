import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../shared/errors.ts';
import { DER_TAG } from '../../shared/asn1/der-reader.ts';
import { openDer } from '../der.ts';
import { assertValidAt, parseSigningCertificate, type SigningCertificate } from './certificate.ts';
import { EifError } from './errors.ts';
import { type EifSigner, readSignatureSection, SIGNATURE_ALGORITHMS } from './signature.ts';

/** SEC 1, C.4, as OpenSSL writes it: sequence, version 1, and the private key. P-256 alone has a short length. */
const SCALAR_OFFSETS = { 'P-256': 7, 'P-384': 8, 'P-521': 8 } as const;

/**
 * What has to be true before an image is signed: the certificate can be read, names this very key, and is valid, since
 * nitro-cli starts no image whose certificate is not.
 * @param certificate PEM
 * @throws EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME; EIF_SIGNING_KEY for a key that is not on P-256, P-384 or
 *   P-521; EIF_SIGNING_KEY_OTHER for one that is not the certificate's
 */
export function assertSigningPair(
  certificate: Uint8Array,
  publicKey: KeyObject,
  at: Date,
): SigningCertificate {
  const parsed = parseSigningCertificate(certificate);
  assertValidAt(parsed, at);
  if (publicKey.asymmetricKeyType !== 'ec') {
    throw new EifError('EIF_SIGNING_KEY', 'images are signed with a key on P-256, P-384 or P-521', {
      actual: publicKey.asymmetricKeyType,
    });
  }
  if (!publicKey.equals(parsed.publicKey)) {
    throw new EifError(
      'EIF_SIGNING_KEY_OTHER',
      'the certificate is for another key than the one that signs',
      {
        expected: parsed.curve,
        actual: publicKey.asymmetricKeyDetails?.namedCurve,
      },
    );
  }
  return parsed;
}

/**
 * A signer with a private key in memory. Its nonces are derived from key and message (RFC 6979), so that the same image
 * gives the same file.
 * @param certificate PEM, valid at `at`
 * @throws EifError as {@link assertSigningPair}
 */
export function createLocalSigner(privateKey: KeyObject, certificate: Uint8Array, at: Date): EifSigner {
  if (privateKey.type !== 'private') {
    throw new EifError('EIF_SIGNING_KEY', 'images are signed with a private key', {
      actual: privateKey.type,
    });
  }
  const { curve } = assertSigningPair(certificate, createPublicKey(privateKey), at);
  return {
    certificate,
    async sign(message) {
      // Only who signs needs them.
      const { p256, p384, p521 } = await import('@noble/curves/nist.js');
      const ecdsa = { 'P-256': p256, 'P-384': p384, 'P-521': p521 }[curve];
      const der = privateKey.export({ format: 'der', type: 'sec1' });
      try {
        const start = SCALAR_OFFSETS[curve];
        return ecdsa.sign(message, der.subarray(start, start + SIGNATURE_ALGORITHMS[curve].bytes / 2), {
          lowS: false,
        });
      } finally {
        der.fill(0);
      }
    },
  };
}

/**
 * A signer whose key is somewhere else, such as in a KMS.
 * @param certificate PEM, valid at `at`
 * @param publicKey of that key
 * @param signDigest answers with an ECDSA signature in DER, of a digest that it does not hash again
 * @throws EifError as {@link assertSigningPair}; what it signs with may have EIF_SIGNATURE_INVALID too
 */
export function createDigestSigner(
  { certificate, publicKey, at }: { certificate: Uint8Array; publicKey: KeyObject; at: Date },
  signDigest: (digest: Uint8Array, algorithm: 'ES256' | 'ES384' | 'ES512') => Promise<Uint8Array>,
): EifSigner {
  const { curve } = assertSigningPair(certificate, publicKey, at);
  const { name, hash, bytes } = SIGNATURE_ALGORITHMS[curve];
  return {
    certificate,
    async sign(message) {
      const digest = createHash(hash).update(message).digest();
      return toFixedLength(await signDigest(digest, name), bytes / 2);
    },
  };
}

/**
 * A signer that has one signature only, that of an image which was signed before: whoever rebuilds it without the key
 * gets the same bytes, or EIF_SIGNATURE_PAYLOAD because it is not the same image.
 * @param section the content of that image's signature section
 * @throws EifError EIF_SIGNATURE_FORMAT, EIF_SIGNATURE_COUNT
 */
export function createReplayingSigner(section: Uint8Array): EifSigner {
  const { certificate, payload, signature } = readSignatureSection(section);
  return { certificate, payload, sign: () => signature };
}

/** ECDSA-Sig-Value (RFC 3279, 2.2.3) as r ‖ s. */
function toFixedLength(der: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(2 * width);
  for (const [index, integer] of readIntegers(der).entries()) {
    const digits = integer[0] === 0 ? integer.subarray(1) : integer;
    if (digits.length > width) throw notASignature();
    result.set(digits, (index + 1) * width - digits.length);
  }
  return result;
}

function readIntegers(der: Uint8Array): [Uint8Array, Uint8Array] {
  try {
    const outer = openDer(der);
    const sequence = outer.enter(DER_TAG.sequence);
    outer.finish();
    const integers: [Uint8Array, Uint8Array] = [sequence.readInteger(), sequence.readInteger()];
    sequence.finish();
    return integers;
  } catch (error) {
    throw error instanceof HoldfastError ? notASignature(error) : error;
  }
}

function notASignature(cause?: unknown): EifError {
  return new EifError('EIF_SIGNATURE_INVALID', 'the answer is not a signature on this curve', {}, cause);
}
