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

type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/**
 * A verifier for many documents, over WebCrypto: the same rules, refusals and cache as the one over node:crypto, with
 * promises in place of results.
 *
 * @example
 * ```ts
 * import { AttestationVerifier, AWS_NITRO_ROOT_G1 } from '@holdfast-nodes/holdfast/attestation/browser';
 * import { decodeDocumentFile, parsePcrFile } from '@holdfast-nodes/holdfast/attestation/browser';
 *
 * const read = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
 * const verifier = new AttestationVerifier({ maxCachedCertificates: 64 });
 * const verified = await verifier.verify(decodeDocumentFile(await read('document.hex')), {
 *   root: AWS_NITRO_ROOT_G1,
 *   at: Date.now(),
 *   pcrs: parsePcrFile(await read('pcr.json')),
 * });
 * console.log(verified.kind); // enclave
 * ```
 */
export class AttestationVerifier {
  readonly #cache: CertificateCache;
  readonly #keys = new WeakMap<Certificate, WebKey>();

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
  async verify(document: Uint8Array, options: VerifyOptions): Promise<VerifiedDocument> {
    const resolved = resolveOptions(options);
    const prepared = prepareDocument(document, resolved, this.#cache);
    for (const check of prepared.signatures) assertSignature(check, await this.#check(check));
    rememberCertificates(prepared, this.#cache);
    return decideDocument(prepared, resolved);
  }

  async #check({ signer, signed, signature }: SignatureCheck): Promise<SignatureResult> {
    let key = this.#keys.get(signer.certificate);
    if (key === undefined) {
      key = await importKey(signer.certificate.publicKey);
      if (key === undefined) return 'bad-key';
      this.#keys.set(signer.certificate, key);
    }
    // WebCrypto refuses views of shared memory, so both are copied.
    const [ours, message] = [new Uint8Array(signature), new Uint8Array(signed)];
    return (await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, key, ours, message))
      ? 'good'
      : 'bad';
  }
}

/** Imports an uncompressed point of P-384; undefined for one that does not lie on the curve. */
async function importKey(point: Uint8Array): Promise<WebKey | undefined> {
  try {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-384' };
    return await crypto.subtle.importKey('raw', new Uint8Array(point), algorithm, false, ['verify']);
  } catch {
    return undefined;
  }
}

/**
 * Verifies an attestation document completely, over WebCrypto: the same rules and refusals as the function of the same name
 * over node:crypto.
 *
 * @param document binary COSE_Sign1, tagged or not, at most 16,640 bytes
 * @throws AttestationError with a code of {@link AttestationErrorCode} but the `PCR_FILE_…` and `…_ENCODING` ones
 * @throws TypeError, RangeError for options that make no sense, such as no PCRs
 *
 * Source: AWS Nitro Enclaves User Guide, "Verifying the root of trust"; RFC 9052 section 4.4; RFC 5280 section 6.1.
 *
 * @example
 * ```ts
 * import { AWS_NITRO_ROOT_G1, decodeDocumentFile } from '@holdfast-nodes/holdfast/attestation/browser';
 * import { parsePcrFile, verifyAttestationDocument } from '@holdfast-nodes/holdfast/attestation/browser';
 *
 * const read = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
 * const verified = await verifyAttestationDocument(decodeDocumentFile(await read('document.hex')), {
 *   root: AWS_NITRO_ROOT_G1,
 *   at: Date.now(),
 *   pcrs: parsePcrFile(await read('pcr.json')),
 * });
 * console.log(verified.debug); // false
 * ```
 */
export async function verifyAttestationDocument(
  document: Uint8Array,
  options: VerifyOptions,
): Promise<VerifiedDocument> {
  return new AttestationVerifier({ maxCachedCertificates: 0 }).verify(document, options);
}
