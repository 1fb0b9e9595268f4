import { HoldfastError } from '../../shared/errors.ts';

/** Every code of {@link KeyPolicyError}; docs/codes.md explains each of them. */
export type KeyPolicyErrorCode =
  /** The document is not JSON, has a duplicate member, or is nested too deeply. */
  | 'POLICY_SYNTAX'
  /** The document is longer than AWS KMS stores. */
  | 'POLICY_TOO_LARGE'
  /** JSON, but not a policy that AWS would store: an unknown element, operator, principal or version. */
  | 'POLICY_MALFORMED'
  /** A CloudFormation or CDK template whose functions (Ref, Fn::…) are not filled in. */
  | 'POLICY_UNRESOLVED'
  /** The policy takes too long to analyse, and counts as open. */
  | 'POLICY_TOO_COMPLEX'
  /** The policy would not bind a measurement that every node's policy has to bind. */
  | 'POLICY_UNBOUND'
  /** PCR3 is not the measurement of the node's role. */
  | 'POLICY_ROLE_MISMATCH'
  /** The linter has findings, in `details.findings`, that stop the policy. */
  | 'GATE_FINDINGS'
  /** A statement that `render` does not write for what was stated, and that is of no harmless form; `details.unproven`. */
  | 'GATE_UNPROVEN'
  /** An exception that names no statement, or more than one. */
  | 'GATE_EXCEPTION'
  /** The policy does not let the enclave decrypt that was shown. */
  | 'GATE_NOT_ADMITTED';

/** A key policy that cannot be read with one meaning only, written, or let pass. `details` say why. */
export class KeyPolicyError extends HoldfastError<KeyPolicyErrorCode> {}
