import { HoldfastError } from '../../../shared/errors.ts';

export type WitnessStateErrorCode =
  /** The folder has no state: it was lost, or was never made by `audit witness-keygen`. */
  | 'WITNESS_STATE_MISSING'
  /** The folder has a state, or a key, already. */
  | 'WITNESS_STATE_EXISTS'
  /** The state is that of other keys. */
  | 'WITNESS_STATE_MISMATCH'
  /** Another process uses the state. */
  | 'WITNESS_STATE_BUSY'
  /** The state is no database of a witness, or a damaged one. */
  | 'WITNESS_STATE_DAMAGED'
  /** The file of a key is not one line of PRIVATE+KEY+… of this type. */
  | 'WITNESS_KEY_MALFORMED'
  /** The list of logs is not what docs/transparency-log.md says. */
  | 'WITNESS_LOGS_MALFORMED';

/** Refusal of a witness to start. */
export class WitnessStateError extends HoldfastError<WitnessStateErrorCode> {}
