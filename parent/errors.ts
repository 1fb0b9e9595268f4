import { HoldfastError } from '../shared/errors.ts';

export type ParentOptionErrorCode =
  /** A setting that makes no sense. */
  'OPTION_INVALID';

/** What an operator wrote cannot be run. */
export class ParentOptionError extends HoldfastError<ParentOptionErrorCode> {}
