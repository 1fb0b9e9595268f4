import { HoldfastError } from '../errors.ts';
import type { ControlErrorCode } from './control.ts';
import type { EgressErrorCode } from './egress.ts';

export type ControlClientErrorCode =
  /** What the parent answered. */
  | `CONTROL_${ControlErrorCode}`
  /** Not a frame, not an answer, not the answer to what was asked, or one too many. */
  | 'CONTROL_ANSWER_INVALID'
  | 'CONTROL_CLOSED'
  /** A commit whose answer was lost and whose outcome could not be read back in time. */
  | 'CONTROL_COMMIT_UNRESOLVED'
  /** The parent could not be reached, or hung up, until the deadline passed. */
  | 'CONTROL_DISCONNECTED'
  /** The parent said nothing until the deadline passed. */
  | 'CONTROL_TIMEOUT';

export class ControlError extends HoldfastError<ControlClientErrorCode> {}

export type EgressClientErrorCode =
  /** What the parent answered. */
  | `EGRESS_${EgressErrorCode}`
  | 'EGRESS_ABORTED'
  | 'EGRESS_ANSWER_INVALID'
  /** The parent's own listener could not be reached. */
  | 'EGRESS_UNREACHABLE'
  | 'EGRESS_TIMEOUT';

export class EgressError extends HoldfastError<EgressClientErrorCode> {}
