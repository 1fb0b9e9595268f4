import { equalBytes } from './bytes.ts';
import type { CertificateCache, KeptCertificate } from './certificate-cache.ts';
import { parseCertificate } from './certificate.ts';
import { assertChain, type ChainLink } from './chain.ts';
import { assertCoseSign1, parseCoseSign1, signatureInput } from './cose-sign1.ts';
import { assertPayload } from './document-rules.ts';
import { parseAttestationPayload, type AttestationPayload } from './document.ts';
import { AttestationError, type AttestationErrorCode } from './errors.ts';
import { locate } from './location.ts';
import type { ResolvedOptions } from './options.ts';
import { fingerprintOf } from './trust-anchor.ts';

/** A document of which nothing is left to check but its signatures and what the caller expects of it. */
export interface PreparedDocument {
  readonly payload: AttestationPayload;
  /** From the root to the leaf. */
  readonly chain: readonly PreparedLink[];
  /** The time of the verdict, in milliseconds since 1970. */
  readonly at: number;
  /** All of them must be good, and are checked in this order: from the root down, the document last. */
  readonly signatures: readonly SignatureCheck[];
}

/** A link, and what the cache kept of it. */
interface PreparedLink extends ChainLink {
  readonly kept?: KeptCertificate | undefined;
}

/** One ECDSA signature over P-384 with SHA-384 that must be good. */
export interface SignatureCheck {
  /** Whose key it is. */
  readonly signer: ChainLink;
  readonly signed: Uint8Array;
  /** r ‖ s, 96 bytes. */
  readonly signature: Uint8Array;
  /** What is signed when it is a certificate, undefined for the document. */
  readonly subject: ChainLink | undefined;
}

/** What a provider of ECDSA says about a signature; a key may turn out to be no point of the curve. */
export type SignatureResult = 'good' | 'bad' | 'bad-key';

/**
 * Parses a document and checks all that needs no cryptography: parse and assert of the four steps parse, assert, verify,
 * decide.
 *
 * @throws AttestationError
 */
export function prepareDocument(
  document: Uint8Array,
  options: ResolvedOptions,
  cache: CertificateCache,
): PreparedDocument {
  const message = parseCoseSign1(document);
  assertCoseSign1(message);
  // A copy, and the very bytes that are verified: nobody can change afterwards what is read from them.
  const signed = signatureInput(message.payload);
  const payload = parseAttestationPayload(signed.subarray(signed.length - message.payload.length));
  assertPayload(payload, options.kind);
  assertRoot(payload.cabundle[0], options.root);
  const authorities = payload.cabundle.map((der, index) =>
    readLink(der, { field: 'cabundle', index }, cache),
  );
  const leaf = readLink(payload.certificate, { field: 'certificate' }, cache);
  const at = options.at === 'document' ? payload.timestamp : options.at;
  assertChain(authorities, leaf, at);
  const chain = [...authorities, leaf];
  const signatures = certificateSignatures(chain);
  signatures.push({
    signer: leaf,
    signed,
    signature: new Uint8Array(message.signature),
    subject: undefined,
  });
  return { payload, chain, at, signatures };
}

function assertRoot(first: Uint8Array | undefined, root: Uint8Array): void {
  if (first !== undefined && equalBytes(first, root)) return;
  throw new AttestationError('ROOT_MISMATCH', 'cabundle[0] is not the trusted root', {
    field: 'cabundle',
    index: 0,
    expected: `SHA-256 ${fingerprintOf(root)}`,
    actual: first === undefined ? null : `SHA-256 ${fingerprintOf(first)}`,
  });
}

function readLink(der: Uint8Array, place: ChainLink['place'], cache: CertificateCache): PreparedLink {
  const kept = cache.find(der);
  // A copy of its own as well: kept in the cache, it must not keep the document.
  const certificate = kept?.certificate ?? locate(place, () => parseCertificate(new Uint8Array(der)));
  return { certificate, place, kept };
}

/** Of every certificate but the root, which is trusted by its bytes, and those already found good. */
function certificateSignatures(chain: readonly PreparedLink[]): SignatureCheck[] {
  const checks: SignatureCheck[] = [];
  let signer: PreparedLink | undefined;
  for (const subject of chain) {
    if (signer !== undefined && !isKnownGood(subject, signer)) {
      const { tbsCertificate, signature } = subject.certificate;
      checks.push({ signer, signed: tbsCertificate, signature, subject });
    }
    signer = subject;
  }
  return checks;
}

function isKnownGood({ kept }: PreparedLink, signer: PreparedLink): boolean {
  return kept !== undefined && equalBytes(kept.issuerKey, signer.certificate.publicKey);
}

/**
 * Refuses a signature that is not good.
 *
 * @throws AttestationError `CERTIFICATE_SIGNATURE`, `COSE_SIGNATURE`, `CERTIFICATE_PUBLIC_KEY`
 */
export function assertSignature({ signer, subject }: SignatureCheck, result: SignatureResult): void {
  switch (result) {
    case 'good':
      return;
    case 'bad-key':
      throw new AttestationError(
        'CERTIFICATE_PUBLIC_KEY',
        'a public key that is no point of P-384',
        signer.place,
      );
    case 'bad': {
      const code: AttestationErrorCode = subject === undefined ? 'COSE_SIGNATURE' : 'CERTIFICATE_SIGNATURE';
      const place = subject?.place ?? { field: 'signature' };
      throw new AttestationError(code, 'a signature that does not verify', place);
    }
  }
}

/**
 * Keeps the certificates of a document all of whose signatures are good, the leaf's among them: the documents of one
 * enclave share it for hours. What is kept says that one key has signed one certificate, and nothing of a document:
 * each is verified under its leaf's key.
 */
export function rememberCertificates({ chain }: PreparedDocument, cache: CertificateCache): void {
  // The root, whose signature counts for nothing, under its own key.
  let [signer] = chain;
  for (const subject of chain) {
    if (signer !== undefined && !isKnownGood(subject, signer)) {
      cache.remember({ certificate: subject.certificate, issuerKey: signer.certificate.publicKey });
    }
    signer = subject;
  }
}
