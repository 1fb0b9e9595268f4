import { HoldfastError } from '../../shared/errors.ts';

export type SignerErrorCode =
  /** The algorithm is not one of the signer's key type. */
  | 'ALGORITHM_MISMATCH'
  /** The algorithm does not take this kind of payload, or the payload has the wrong length. */
  | 'PAYLOAD_MISMATCH';

/** The refusal of a signer to sign; keys and shares add codes of their own. */
export class SignerError<Code extends string = SignerErrorCode> extends HoldfastError<Code> {}
