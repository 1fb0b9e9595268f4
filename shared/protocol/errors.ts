import { HoldfastError } from '../errors.ts';
import type { ControlErrorCode } from './control.ts';
import type { EgressErrorCode } from './egress.ts';

export type ControlClientErrorCode =
  /** A code that the parent responded with. */
  | `CONTROL_${ControlErrorCode}`
  /** The parent sent no valid frame, no response, a response to another request, or one without a request. */
  | 'CONTROL_ANSWER_INVALID'
  | 'CONTROL_CLOSED'
  /** A commit whose response was lost and whose outcome could not be read back in time. */
  | 'CONTROL_COMMIT_UNRESOLVED'
  /** The parent could not be reached, or hung up, until the deadline passed. */
  | 'CONTROL_DISCONNECTED'
  /** No response of the parent before the deadline. */
  | 'CONTROL_TIMEOUT';

export class ControlError extends HoldfastError<ControlClientErrorCode> {}

export type EgressClientErrorCode =
  /** A code that the parent responded with. */
  | `EGRESS_${EgressErrorCode}`
  | 'EGRESS_ABORTED'
  | 'EGRESS_ANSWER_INVALID'
  /** The parent's own listener could not be reached. */
  | 'EGRESS_UNREACHABLE'
  | 'EGRESS_TIMEOUT';

export class EgressError extends HoldfastError<EgressClientErrorCode> {}

/** Why the enclave has no response to a checkpoint, as for the control connection. */
export type LogLinkErrorCode =
  | 'LOG_LINK_ANSWER_INVALID'
  | 'LOG_LINK_BAD_REQUEST'
  | 'LOG_LINK_CLOSED'
  | 'LOG_LINK_DISCONNECTED'
  | 'LOG_LINK_TIMEOUT'
  | 'LOG_LINK_UNAVAILABLE';

export class LogLinkError extends HoldfastError<LogLinkErrorCode> {}
