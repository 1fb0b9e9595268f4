export { type Coordinator, createCoordinator } from './coordinator.ts';
export { MAX_CERTIFICATE_BYTES } from './limits.ts';
export { QuorumSigningError, type QuorumSigningErrorCode } from './errors.ts';
export {
  type EpochCertificates,
  type FindShare,
  type JointSignatures,
  NO_CERTIFICATES,
  type QuorumRecord,
  type SigningJob,
  type Timer,
} from './job.ts';
export type { ForwardedConsent, SignEntry } from './messages.ts';
export {
  type Decided,
  type DecisionSubject,
  type MakeShares,
  type ParticipantPipeline,
  serveParticipant,
  type VerifiedRequest,
} from './participant.ts';
export { type QuorumShare, toQuorumShare } from './quorum-share.ts';
