import { HoldfastError } from '../../shared/errors.ts';
import type { Decision, PolicyRefusal } from '../../policy/index.ts';

export type SigningErrorCode =
  /** The configuration's time is over: the node allows nothing until it starts with another. */
  'CONFIGURATION_EXPIRED';

/** The node signs nothing at present, whoever asks. */
export class SigningError extends HoldfastError<SigningErrorCode> {}

/** A request that the policy does not permit; `decision` has the reasons and what is still needed. */
export class PolicyError extends HoldfastError<PolicyRefusal> {
  readonly decision: Extract<Decision, { outcome: 'denied' }> | undefined;

  constructor(code: PolicyRefusal, message: string, decision?: Extract<Decision, { outcome: 'denied' }>) {
    super(code, message);
    this.decision = decision;
  }
}
