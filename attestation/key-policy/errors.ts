import { HoldfastError } from '../../shared/errors.ts';

export type KeyPolicyErrorCode =
  /** Not JSON, a duplicate member, too deep. */
  | 'POLICY_SYNTAX'
  /** Longer than AWS takes. */
  | 'POLICY_TOO_LARGE'
  /** JSON, but not a policy that AWS would store: an unknown element, operator, principal or version. */
  | 'POLICY_MALFORMED';

/** A key policy that cannot be read with one meaning only. `details.path` names the place. */
export class KeyPolicyError extends HoldfastError<KeyPolicyErrorCode> {}
