import { HoldfastError } from '../../shared/errors.ts';

export type NsmErrorCode =
  /** The device did not answer, or answered what is not an answer to the request. */
  | 'NSM_FAILED'
  /** The device refused; `details.reason` is its error name, such as `ReadOnlyIndex`. */
  | 'NSM_REFUSED';

export class NsmError extends HoldfastError<NsmErrorCode> {}
