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
 * A verifier for many documents, over node:crypto. A cache keeps the certificates whose signatures verified: a document
 * under a known leaf costs one ECDSA verification in place of five, one under a new leaf of known authorities two. The
 * rules and refusals are those of {@link verifyAttestationDocument}.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { AttestationVerifier, AWS_NITRO_ROOT_G1 } from '@holdfast-nodes/holdfast/attestation';
 * import { decodeDocumentFile, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const verifier = new AttestationVerifier();
 * const pcrs = parsePcrFile(await readFile('pcr.json'));
 * for (const name of ['document.hex', 'another.hex']) {
 *   const document = decodeDocumentFile(await readFile(name));
 *   const verified = verifier.verify(document, { root: AWS_NITRO_ROOT_G1, at: Date.now(), pcrs });
 *   console.log(verified.debug); // false
 * }
 * ```
 */
export class AttestationVerifier {
  readonly #cache: CertificateCache;
  readonly #keys = new WeakMap<Certificate, KeyObject>();

  /**
   * @param options `maxCachedCertificates`: default 256; 0 keeps none
   * @throws RangeError for a number that is negative or no integer
   */
  constructor({
    maxCachedCertificates = DEFAULT_CACHED_CERTIFICATES,
  }: { maxCachedCertificates?: number } = {}) {
    this.#cache = new CertificateCache(maxCachedCertificates);
  }

  /**
   * Verifies one document.
   *
   * @param document binary COSE_Sign1, tagged or not, at most 16,640 bytes
   * @throws AttestationError and misuse as {@link verifyAttestationDocument}
   */
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

/**
 * Imports an uncompressed point of P-384; undefined for one that does not lie on the curve. A JWK spares OpenSSL the search
 * for a decoder.
 */
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
 * Verifies an attestation document completely: its form, its certificate chain up to `root`, its signatures, and then the
 * expectations in `options`. The function does no I/O and reads no clock: the caller passes the time.
 *
 * A document proves that an enclave with these PCRs held `publicKey`, `userData` and `nonce` when the hypervisor signed
 * it. Whoever records a document can replay it: a nonce made for the question, or `maxAgeMs`, shows that it is fresh.
 *
 * @param document binary COSE_Sign1, tagged or not, at most 16,640 bytes; `decodeDocumentFile` reads other forms
 * @throws AttestationError with a code of {@link AttestationErrorCode} but the `PCR_FILE_…` and `…_ENCODING` ones
 * @throws TypeError, RangeError for options that make no sense, such as no PCRs
 *
 * Source: AWS Nitro Enclaves User Guide, "Verifying the root of trust"; RFC 9052 section 4.4; RFC 5280 section 6.1.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, decodeDocumentFile, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { verifyAttestationDocument } from '@holdfast-nodes/holdfast/attestation';
 *
 * const verified = verifyAttestationDocument(decodeDocumentFile(await readFile('document.hex')), {
 *   root: AWS_NITRO_ROOT_G1,
 *   at: Date.now(),
 *   maxAgeMs: 300_000,
 *   pcrs: parsePcrFile(await readFile('pcr.json')),
 *   nonce: await readFile('nonce.bin'),
 * });
 * console.log(verified.instanceId, verified.debug); // i-0123456789abcdef0 false
 * ```
 */
export function verifyAttestationDocument(document: Uint8Array, options: VerifyOptions): VerifiedDocument {
  return new AttestationVerifier({ maxCachedCertificates: 0 }).verify(document, options);
}
