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
  APPROVAL_PAYLOAD_TYPE,
  type ApprovalStatement,
  computeChallenge,
  encodeApprovalMessage,
  encodeStatement,
  MAX_STATEMENT_BYTES,
  parseStatement,
} from './statement.ts';
export { type ApprovalState, verifyApproval } from './verification.ts';
