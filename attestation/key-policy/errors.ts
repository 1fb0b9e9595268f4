import { HoldfastError } from '../../shared/errors.ts';

export type KeyPolicyErrorCode =
  /** Not JSON, a duplicate member, too deep. */
  | 'POLICY_SYNTAX'
  /** Longer than AWS takes. */
  | 'POLICY_TOO_LARGE'
  /** JSON, but not a policy that AWS would store: an unknown element, operator, principal or version. */
  | 'POLICY_MALFORMED'
  /** A policy that takes too long to question: nobody has to wait for an answer, or gets none by mistake. */
  | 'POLICY_TOO_COMPLEX'
  /** A policy that would leave out a measurement that has to be in it. */
  | 'POLICY_UNBOUND'
  /** The linter found what stops a policy; `details.findings`. */
  | 'GATE_FINDINGS'
  /** The policy does not let the enclave decrypt that was shown. */
  | 'GATE_NOT_ADMITTED';

/** A key policy that cannot be read with one meaning only, written, or let pass. `details` say why. */
export class KeyPolicyError extends HoldfastError<KeyPolicyErrorCode> {}
