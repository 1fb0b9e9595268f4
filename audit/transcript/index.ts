export {
  type Certificate,
  type CeremonyResult,
  decodeCertificate,
  digestTranscript,
  encodeCertificate,
  encodeConfirmation,
  type VerifiedCertificate,
  verifyCertificate,
} from './certificate.ts';
export { MAX_CEREMONY_KEYS, MAX_FORWARDED_REQUEST_BYTES } from './limits.ts';
export { TranscriptError, type TranscriptErrorCode } from './errors.ts';
export {
  assertSigned,
  type CeremonyStep,
  type CommitBody,
  commitBodySchema,
  type DealBody,
  type Dealing,
  decodeBody,
  digestBody,
  encodeBody,
  type SignedMessage,
  signedMessageSchema,
  signMessage,
} from './message.ts';
export {
  type CeremonyMember,
  decodePlan,
  digestPlan,
  encodePlan,
  type FormerGroup,
  type Plan,
  type PlannedKey,
} from './plan.ts';
export { createDealingTerms, type SentDealing, type VerifiedDealings, verifyDealings } from './dealings.ts';
export {
  listDealings,
  type VerifiedCommits,
  verifyCommits,
  type VerifiedDeals,
  verifyDeals,
} from './rounds.ts';
export { openParts, sealParts } from './secret-parts.ts';
export {
  copyResult,
  decodeTranscript,
  encodeTranscript,
  extractCertificate,
  type Transcript,
} from './transcript.ts';
export { type Evidence, judgeMessages } from './evidence.ts';
export { verifyChain } from './chain.ts';
export { type TranscriptTrust, type VerifiedTranscript, verifyTranscript } from './verification.ts';
