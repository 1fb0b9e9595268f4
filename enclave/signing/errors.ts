import { HoldfastError } from '../../shared/errors.ts';
import type { Decision, PolicyRefusal } from '../../policy/index.ts';

export type SigningErrorCode =
  /** The configuration in force has expired: the node permits nothing until it starts with another. */
  'CONFIGURATION_EXPIRED';

/** The refusal of every request at present, whichever client sends it. */
export class SigningError extends HoldfastError<SigningErrorCode> {}

/** A request that the policy does not permit; `decision` has the reasons and what is still needed. */
export class PolicyError extends HoldfastError<PolicyRefusal> {
  readonly decision: Extract<Decision, { outcome: 'denied' }> | undefined;

  constructor(code: PolicyRefusal, message: string, decision?: Extract<Decision, { outcome: 'denied' }>) {
    super(code, message);
    this.decision = decision;
  }
}
