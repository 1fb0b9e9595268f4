export {
  type Approval,
  type ApprovalProof,
  type ApproverCredential,
  type ApproverEntry,
  type ExpectedApproval,
  nameCredential,
  type VerifiedApproval,
} from './approval.ts';
export { ApprovalError, type ApprovalErrorCode } from './errors.ts';
export {
  type ApprovalStatement,
  computeChallenge,
  encodeApprovalMessage,
  encodeStatement,
  parseStatement,
} from './statement.ts';
export { type ApprovalState, verifyApproval } from './verification.ts';
export { type Fact, presentReview, type Presentation } from './presentation.ts';
export {
  createStatement,
  decodeReviewPart,
  parseReview,
  type VerifiedReview,
  verifyReview,
} from './review.ts';
export { ReviewError, type ReviewErrorCode } from './review-errors.ts';
