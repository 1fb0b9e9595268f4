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

/** A document that passed every check but the signatures and the caller's expectations. */
export interface PreparedDocument {
  readonly payload: AttestationPayload;
  /** Certificates from the root to the leaf. */
  readonly chain: readonly PreparedLink[];
  /** The time of the verdict, in milliseconds since 1970. */
  readonly at: number;
  /** Signatures that must all be good, in the order in which to check them: from the root down, the document last. */
  readonly signatures: readonly SignatureCheck[];
}

/** A link of the chain, with the cache's entry for its certificate, if any. */
interface PreparedLink extends ChainLink {
  readonly kept?: KeptCertificate | undefined;
}

/** One ECDSA signature over P-384 with SHA-384 that must be good. */
export interface SignatureCheck {
  /** Certificate that holds the public key. */
  readonly signer: ChainLink;
  /** Bytes that the signature covers: a TBSCertificate or a Sig_structure. */
  readonly signed: Uint8Array;
  /** The signature as r ‖ s, 96 bytes. */
  readonly signature: Uint8Array;
  /** The certificate that is signed; undefined where the document is. */
  readonly subject: ChainLink | undefined;
}

/** Result of an ECDSA verification; `bad-key` is a public key that is no point of the curve. */
export type SignatureResult = 'good' | 'bad' | 'bad-key';

/**
 * Parses a document and checks everything that needs no cryptography: the first two of the four steps parse, assert,
 * verify, decide.
 *
 * @throws AttestationError `CBOR_…`, `COSE_…` but COSE_SIGNATURE, `DOCUMENT_…`, `DER_…`, `CERTIFICATE_…`, `ROOT_MISMATCH`
 */
export function prepareDocument(
  document: Uint8Array,
  options: ResolvedOptions,
  cache: CertificateCache,
): PreparedDocument {
  const message = parseCoseSign1(document);
  assertCoseSign1(message);
  // The payload is parsed from the copy that is verified, so a caller that changes the document changes nothing.
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
  throw new AttestationError('ROOT_MISMATCH', 'cabundle[0] is not the trusted root, byte for byte', {
    field: 'cabundle',
    index: 0,
    expected: `SHA-256 ${fingerprintOf(root)}`,
    actual: first === undefined ? null : `SHA-256 ${fingerprintOf(first)}`,
  });
}

function readLink(der: Uint8Array, place: ChainLink['place'], cache: CertificateCache): PreparedLink {
  const kept = cache.find(der);
  // Parsed from a copy: an entry of the cache must not keep the whole document in memory.
  const certificate = kept?.certificate ?? locate(place, () => parseCertificate(new Uint8Array(der)));
  return { certificate, place, kept };
}

/** Lists the signatures of every certificate except the root, trusted by its bytes, and those in the cache. */
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
        'the public key is not a point on P-384',
        signer.place,
      );
    case 'bad': {
      const code: AttestationErrorCode = subject === undefined ? 'COSE_SIGNATURE' : 'CERTIFICATE_SIGNATURE';
      const place = subject?.place ?? { field: 'signature' };
      const name = subject === undefined ? 'the document' : 'a certificate';
      throw new AttestationError(code, `the signature of ${name} does not verify`, place);
    }
  }
}

/**
 * Adds the certificates of a document to the cache, after all its signatures were verified. The leaf is added too, since
 * the documents of one enclave share it for hours. An entry states that one key signed one certificate and nothing about
 * any document: each document is verified under its leaf's key.
 */
export function rememberCertificates({ chain }: PreparedDocument, cache: CertificateCache): void {
  // The loop begins with the root as its own signer; the root's signature counts for nothing.
  let [signer] = chain;
  for (const subject of chain) {
    if (signer !== undefined && !isKnownGood(subject, signer)) {
      cache.remember({ certificate: subject.certificate, issuerKey: signer.certificate.publicKey });
    }
    signer = subject;
  }
}
