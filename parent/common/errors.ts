import { HoldfastError } from '../../shared/errors.ts';

export type ParentOptionErrorCode =
  /** An option or setting that makes no sense. */
  'OPTION_INVALID';

/** An operator's configuration that cannot be run. */
export class ParentOptionError extends HoldfastError<ParentOptionErrorCode> {}
