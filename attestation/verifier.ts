import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';
import { CertificateCache, DEFAULT_CACHED_CERTIFICATES } from './certificate-cache.ts';
import type { Certificate } from './certificate.ts';
import { resolveOptions, type VerifyOptions } from './options.ts';
import {
  assertSignature,
  prepareDocument,
  rememberCertificates,
  type SignatureCheck,
  type SignatureResult,
} from './preparation.ts';
import { decideDocument, type VerifiedDocument } from './verdict.ts';

/**
 * Verifies many documents, over node:crypto. It keeps the certificates that were found good, and their keys: a
 * document under a leaf that was seen before costs one verification in place of five, under another leaf of the same
 * authorities two.
 */
export class AttestationVerifier {
  readonly #cache: CertificateCache;
  readonly #keys = new WeakMap<Certificate, KeyObject>();

  constructor({
    maxCachedCertificates = DEFAULT_CACHED_CERTIFICATES,
  }: { maxCachedCertificates?: number } = {}) {
    this.#cache = new CertificateCache(maxCachedCertificates);
  }

  /** As {@link verifyAttestationDocument}. */
  verify(document: Uint8Array, options: VerifyOptions): VerifiedDocument {
    const resolved = resolveOptions(options);
    const prepared = prepareDocument(document, resolved, this.#cache);
    for (const check of prepared.signatures) assertSignature(check, this.#check(check));
    rememberCertificates(prepared, this.#cache);
    return decideDocument(prepared, resolved, (message) => hash('sha384', message, 'buffer'));
  }

  #check({ signer, signed, signature }: SignatureCheck): SignatureResult {
    let key = this.#keys.get(signer.certificate);
    if (key === undefined) {
      key = importKey(signer.certificate.publicKey);
      if (key === undefined) return 'bad-key';
      this.#keys.set(signer.certificate, key);
    }
    return verify('sha384', signed, { key, dsaEncoding: 'ieee-p1363' }, signature) ? 'good' : 'bad';
  }
}

/** undefined for what is no point of the curve. As a JWK, which OpenSSL takes without its search for a decoder. */
function importKey(point: Uint8Array): KeyObject | undefined {
  const octets = Buffer.from(point.buffer, point.byteOffset, point.byteLength);
  const [x, y] = [octets.toString('base64url', 1, 49), octets.toString('base64url', 49)];
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-384', x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/**
 * Verifies an attestation document completely: its form, its chain up to `root`, its signatures, then what `options`
 * expect of it. No I/O, no clock: the caller says what time it is.
 *
 * @param document binary COSE_Sign1, tagged or not
 * @throws AttestationError with one code and the place; TypeError or RangeError for options that make no sense
 */
export function verifyAttestationDocument(document: Uint8Array, options: VerifyOptions): VerifiedDocument {
  return new AttestationVerifier({ maxCachedCertificates: 0 }).verify(document, options);
}
