import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../shared/errors.ts';
import { DER_TAG } from '../../shared/asn1/der-reader.ts';
import { openDer } from '../der.ts';
import { assertValidAt, parseSigningCertificate, type SigningCertificate } from './certificate.ts';
import { EifError } from './errors.ts';
import { type EifSigner, readSignatureSection, SIGNATURE_ALGORITHMS } from './signature.ts';

/**
 * Offset of the private scalar in an ECPrivateKey (SEC 1 appendix C.4) as OpenSSL writes it: after the SEQUENCE, version 1
 * and the OCTET STRING's head. P-256 has a shorter length than the others.
 */
const SCALAR_OFFSETS = { 'P-256': 7, 'P-384': 8, 'P-521': 8 } as const;

/**
 * Checks a certificate before an image is signed: it can be parsed, holds this very key, and is valid, since nitro-cli
 * starts no image whose certificate is not.
 *
 * @param certificate PEM
 * @throws EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME; EIF_SIGNING_KEY for a key that is not on P-256, P-384 or
 *   P-521; EIF_SIGNING_KEY_OTHER for a key that is not the certificate's
 */
export function assertSigningPair(
  certificate: Uint8Array,
  publicKey: KeyObject,
  at: Date,
): SigningCertificate {
  const parsed = parseSigningCertificate(certificate);
  assertValidAt(parsed, at);
  if (publicKey.asymmetricKeyType !== 'ec') {
    throw new EifError(
      'EIF_SIGNING_KEY',
      'the signing key is not an EC key: expected one on P-256, P-384 or P-521',
      {
        actual: publicKey.asymmetricKeyType,
      },
    );
  }
  if (!publicKey.equals(parsed.publicKey)) {
    throw new EifError('EIF_SIGNING_KEY_OTHER', "the signing key is not the certificate's key", {
      expected: parsed.curve,
      actual: publicKey.asymmetricKeyDetails?.namedCurve,
    });
  }
  return parsed;
}

/**
 * Creates a signer with a private key in memory. Nonces are derived from key and message (RFC 6979), so that the same image
 * gives the same file.
 *
 * @param privateKey an EC key on P-256, P-384 or P-521
 * @param certificate one certificate of that key in PEM, valid at `at`
 * @throws EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME, EIF_SIGNING_KEY, EIF_SIGNING_KEY_OTHER
 *
 * Source: AWS Nitro Enclaves User Guide, "Signing an enclave image file"; RFC 9053 section 2.1; RFC 6979.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { buildEif, createLocalSigner, memorySource } from '@holdfast-nodes/holdfast/attestation/eif';
 *
 * const key = createPrivateKey(await readFile('image-key.pem'));
 * const sign = createLocalSigner(key, await readFile('image-certificate.pem'), new Date());
 * const { measurements } = await buildEif(
 *   {
 *     kernel: memorySource(await readFile('bzImage')),
 *     cmdline: 'reboot=t',
 *     ramdisks: [memorySource(await readFile('bootstrap.cpio'))],
 *     sign,
 *   },
 *   { write: async () => undefined },
 * );
 * console.log(measurements.has(8)); // true
 * ```
 */
export function createLocalSigner(privateKey: KeyObject, certificate: Uint8Array, at: Date): EifSigner {
  if (privateKey.type !== 'private') {
    throw new EifError(
      'EIF_SIGNING_KEY',
      `the signing key is a ${privateKey.type} key: expected a private key`,
      {
        actual: privateKey.type,
      },
    );
  }
  const { curve } = assertSigningPair(certificate, createPublicKey(privateKey), at);
  return {
    certificate,
    async sign(message) {
      // Loaded here, since describing and verifying an image needs no curves.
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
 * Creates a signer whose key is elsewhere, such as in AWS KMS, which signs digests.
 *
 * @param certificate one certificate in PEM, valid at `at`
 * @param publicKey the public half of the key, as the KMS gives it
 * @param signDigest signs a digest without hashing it again, and returns an Ecdsa-Sig-Value in DER
 * @throws EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME, EIF_SIGNING_KEY, EIF_SIGNING_KEY_OTHER; its `sign` throws
 *   EIF_SIGNATURE_INVALID for a result that is no signature on the curve
 *
 * Source: AWS KMS API Reference, `Sign` with MessageType DIGEST; RFC 3279 section 2.2.3; RFC 9053 section 2.1.
 *
 * @example
 * ```ts
 * import { createPublicKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { createDigestSigner } from '@holdfast-nodes/holdfast/attestation/eif';
 *
 * const certificate = await readFile('image-certificate.pem');
 * const signer = createDigestSigner(
 *   { certificate, publicKey: createPublicKey(certificate), at: new Date() },
 *   async (digest, algorithm) => await kmsSign({ digest, algorithm }),
 * );
 * console.log((await signer.sign(Buffer.from('a Sig_structure'))).length); // 96
 * ```
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
 * Creates a signer that replays the signature of an image that was signed before: a rebuild without the key gives the same
 * bytes, or EIF_SIGNATURE_PAYLOAD because the image is not the same.
 *
 * @param section content of that image's signature section, `signature.section` of its description
 * @throws EifError EIF_SIGNATURE_FORMAT, EIF_SIGNATURE_COUNT
 */
export function createReplayingSigner(section: Uint8Array): EifSigner {
  const { certificate, payload, signature } = readSignatureSection(section);
  return { certificate, payload, sign: () => signature };
}

/** Converts an Ecdsa-Sig-Value in DER (RFC 3279 section 2.2.3) to r ‖ s. */
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
  return new EifError(
    'EIF_SIGNATURE_INVALID',
    'signDigest returned no Ecdsa-Sig-Value of this curve',
    {},
    cause,
  );
}
