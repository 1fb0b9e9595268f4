import { HoldfastError } from '../../shared/errors.ts';

/** Why a vote on a request that waits does not count. */
export type ApprovalErrorCode =
  /** The statement is not the canonical JSON of `holdfast-approval/1`. */
  | 'APPROVAL_MALFORMED'
  /** The statement is about another request, or about another transaction of the same id. */
  | 'APPROVAL_OTHER_REQUEST'
  /** The statement names another node: its manifest is not this one. */
  | 'APPROVAL_OTHER_NODE'
  /** The statement names another configuration, or another rule, than the one that asks for approvals. */
  | 'APPROVAL_OTHER_RULE'
  /** The request, or the statement, has expired. */
  | 'APPROVAL_EXPIRED'
  /** The signature or assertion does not verify with the credential that it names. */
  | 'APPROVAL_SIGNATURE_INVALID'
  /** The page that asked the passkey is of another origin or relying party, or was framed. */
  | 'APPROVAL_ORIGIN'
  /** The passkey did not verify its user. */
  | 'APPROVAL_USER_NOT_VERIFIED'
  /** The passkey's counter did not grow: it may exist twice, or the assertion was used before. */
  | 'APPROVAL_COUNTER_BACK'
  /** The approver has voted on this request before. */
  | 'APPROVAL_REPEATED'
  /** The configuration has no such approver, or the approver no such credential. */
  | 'APPROVER_UNKNOWN'
  /** The rule does not ask this approver. */
  | 'APPROVER_NOT_ASKED'
  /** The approver is the person behind the client that made the request, or holds that client's key. */
  | 'APPROVER_IS_REQUESTER';

/** A vote that does not count; `cause` has the step of WebAuthn that failed. */
export class ApprovalError extends HoldfastError<ApprovalErrorCode> {}
