import { HoldfastError } from '../../shared/errors.ts';

export type KeyringErrorCode =
  /** The configuration names this share, and it was not imported yet. */
  | 'SHARE_MISSING'
  /** A share is imported once: it is never overwritten. */
  | 'SHARE_EXISTS';

export class KeyringError extends HoldfastError<KeyringErrorCode> {}
