import { HoldfastError } from '../../shared/errors.ts';

export type KeyringErrorCode =
  /** A share that the configuration names and that was not imported yet. */
  | 'SHARE_MISSING'
  /** A share is imported once: it is never overwritten. */
  | 'SHARE_EXISTS'
  /** The key has gone on in a newer epoch, of which this node holds no share. */
  | 'SHARE_SUPERSEDED';

export class KeyringError extends HoldfastError<KeyringErrorCode> {}
