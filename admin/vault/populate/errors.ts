import { HoldfastError } from '../../../shared/errors.ts';

export type PopulateErrorCode =
  /** The credentials are of another account than the partition's. */
  | 'POPULATE_ACCOUNT'
  /** The partition has no secret of this name. */
  | 'POPULATE_NAME_UNKNOWN'
  /** A value that something is made of is in no secret yet. */
  | 'POPULATE_NOT_WRITTEN'
  /** The vault has no partition of this name. */
  | 'POPULATE_PARTITION_UNKNOWN'
  /** A file with a secret may be read or written by others than its owner. */
  | 'POPULATE_SOURCE_EXPOSED'
  /** A file, a variable or a command did not give a value; `problem` says why. */
  | 'POPULATE_SOURCE_FAILED'
  /** Nothing says where the value of a secret comes from, and it cannot be generated. */
  | 'POPULATE_SOURCE_MISSING'
  /** The file of sources is not what it should be. */
  | 'POPULATE_VALUES_MALFORMED'
  /** A value is not of the form that its use needs; `problem` says why, never the value. */
  | 'POPULATE_VALUE_UNFIT';

/** Refusal to put a partition's secrets where their readers look for them. */
export class PopulateError extends HoldfastError<PopulateErrorCode> {}
