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

/** As the verifier over node:crypto, but over WebCrypto, which makes every answer a promise. */
export class AttestationVerifier {
  readonly #cache: CertificateCache;
  readonly #keys = new WeakMap<Certificate, WebKey>();

  constructor({
    maxCachedCertificates = DEFAULT_CACHED_CERTIFICATES,
  }: { maxCachedCertificates?: number } = {}) {
    this.#cache = new CertificateCache(maxCachedCertificates);
  }

  /** As {@link verifyAttestationDocument}. */
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
    // WebCrypto takes no view of shared memory, and these need not be any.
    const [ours, message] = [new Uint8Array(signature), new Uint8Array(signed)];
    return (await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, key, ours, message))
      ? 'good'
      : 'bad';
  }
}

/** undefined for what is no point of the curve. */
async function importKey(point: Uint8Array): Promise<WebKey | undefined> {
  try {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-384' };
    return await crypto.subtle.importKey('raw', new Uint8Array(point), algorithm, false, ['verify']);
  } catch {
    return undefined;
  }
}

/**
 * Verifies an attestation document completely, over WebCrypto: the same rules and refusals as in Node.
 *
 * @param document binary COSE_Sign1, tagged or not
 * @throws AttestationError with one code and the place; TypeError or RangeError for options that make no sense
 */
export async function verifyAttestationDocument(
  document: Uint8Array,
  options: VerifyOptions,
): Promise<VerifiedDocument> {
  return new AttestationVerifier({ maxCachedCertificates: 0 }).verify(document, options);
}
