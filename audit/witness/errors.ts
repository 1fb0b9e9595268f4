import { HoldfastError } from '../../shared/errors.ts';

export type WitnessErrorCode =
  /** No request of C2SP tlog-witness: an old size, proof lines, an empty line, a checkpoint. */
  | 'WITNESS_REQUEST_MALFORMED'
  /** More bytes than a request can need. */
  | 'WITNESS_REQUEST_TOO_LARGE'
  /** The old size is above the size of the checkpoint. */
  | 'WITNESS_OLD_SIZE'
  /** The witness follows no log of this origin. */
  | 'WITNESS_LOG_UNKNOWN'
  /** No valid signature of the log, or an invalid one. */
  | 'WITNESS_LOG_UNSIGNED'
  /** The old size is not that of the tree that the witness has cosigned last. */
  | 'WITNESS_CONFLICT'
  /** Too many requests lie in memory. */
  | 'WITNESS_BUSY'
  /** The tree does not extend the one that the witness has cosigned last, or nothing proves it. */
  | 'WITNESS_INCONSISTENT';

/** Refusal to cosign. */
export class WitnessError extends HoldfastError<WitnessErrorCode> {}

/** HTTP status of each refusal: C2SP tlog-witness v1.0.0, and RFC 9110 for what that leaves open. */
export const WITNESS_STATUS: Readonly<Record<WitnessErrorCode, number>> = {
  WITNESS_REQUEST_MALFORMED: 400,
  WITNESS_OLD_SIZE: 400,
  WITNESS_LOG_UNSIGNED: 403,
  WITNESS_LOG_UNKNOWN: 404,
  WITNESS_CONFLICT: 409,
  WITNESS_REQUEST_TOO_LARGE: 413,
  WITNESS_INCONSISTENT: 422,
  WITNESS_BUSY: 503,
};
