export type { Certificate } from './certificate.ts';
export { describeName } from './certificate-name.ts';
export type { AttestationPayload, DocumentKind } from './document.ts';
export { AttestationError, type AttestationErrorCode, type AttestationErrorDetails } from './errors.ts';
export {
  extendPcr,
  MANIFEST_PCR,
  measureInstanceId,
  measureInstanceRole,
  computeManifestPcr,
  zeroPcr,
} from './measurement.ts';
export { AWS_NITRO_ROOT_G1 } from './nitro-root.ts';
export type { VerifyOptions } from './options.ts';
export { isUnusedPcr, MAX_PCR_INDEX, PCR_BYTES, type PcrValues } from './pcr.ts';
export { describeTrustAnchor, type TrustAnchor } from './trust-anchor.ts';
export { unsafeParseAttestationDocument, type UnverifiedDocument } from './unverified.ts';
export type { VerifiedDocument } from './verdict.ts';
export { AttestationVerifier, verifyAttestationDocument } from './verifier.ts';
export { comparePcrs, explainDifferences, type PcrDifference } from './pcr-difference.ts';
export { formatPcrFile, MAX_PCR_FILE_BYTES, parsePcrFile, type PcrFileOptions } from './pcr-file.ts';
export { decodeCertificateFile, decodeDocumentFile } from './file-encoding.ts';
export { isUnreadable } from './unreadable.ts';
export { describePcr } from './pcr-meaning.ts';
export { reportPcrs, type PcrReport } from './pcr-report.ts';
