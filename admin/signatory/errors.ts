import { HoldfastError } from '../../shared/errors.ts';

export type SignatoryErrorCode =
  /** Not YAML, or YAML with duplicate keys, aliases or several documents. */
  | 'SIGNATORY_NOT_YAML'
  /** A field that Signatory does not have: it would be ignored there, whatever it was meant to protect. */
  | 'SIGNATORY_UNKNOWN_FIELD'
  /** A value that is none of its field's: an address, a key, a kind of request or operation, a driver. */
  | 'SIGNATORY_MALFORMED'
  /** A configuration that keeps Signatory itself from starting. */
  | 'SIGNATORY_CONTRADICTORY'
  /** The configuration that the import goes into has something else under an id of it. */
  | 'SIGNATORY_CONFLICT'
  /** A key whose network neither the file nor the caller says. */
  | 'SIGNATORY_NETWORK_UNKNOWN';

/** Refusal of a configuration of Signatory; `details.path` is the field's. */
export class SignatoryError extends HoldfastError<SignatoryErrorCode> {}
