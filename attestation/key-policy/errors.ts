import { HoldfastError } from '../../shared/errors.ts';

export type KeyPolicyErrorCode =
  /** Not JSON, a duplicate member, too deep. */
  | 'POLICY_SYNTAX'
  /** Longer than AWS takes. */
  | 'POLICY_TOO_LARGE'
  /** JSON, but not a policy that AWS would store: an unknown element, operator, principal or version. */
  | 'POLICY_MALFORMED'
  /** A CloudFormation or CDK template whose functions (Ref, Fn::…) are not filled in. */
  | 'POLICY_UNRESOLVED'
  /** A policy that takes too long to question: nobody has to wait for an answer, or gets none by mistake. */
  | 'POLICY_TOO_COMPLEX'
  /** A policy that would leave out a measurement that has to be in it. */
  | 'POLICY_UNBOUND'
  /** A PCR3 that is not the measurement of the role that is to be written beside it. */
  | 'POLICY_ROLE_MISMATCH'
  /** The linter found what stops a policy; `details.findings`. */
  | 'GATE_FINDINGS'
  /** A statement that `render` does not write for what was stated, and that is of no harmless form; `details.unproven`. */
  | 'GATE_UNPROVEN'
  /** An exception that names no statement, or more than one. */
  | 'GATE_EXCEPTION'
  /** The policy does not let the enclave decrypt that was shown. */
  | 'GATE_NOT_ADMITTED';

/** A key policy that cannot be read with one meaning only, written, or let pass. `details` say why. */
export class KeyPolicyError extends HoldfastError<KeyPolicyErrorCode> {}
