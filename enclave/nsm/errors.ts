import { HoldfastError } from '../../shared/errors.ts';

export type NsmErrorCode =
  /** The device gave no response, or one that does not belong to the request. */
  | 'NSM_FAILED'
  /** The device refused; `details.reason` is its error name, such as `ReadOnlyIndex`. */
  | 'NSM_REFUSED';

export class NsmError extends HoldfastError<NsmErrorCode> {}
