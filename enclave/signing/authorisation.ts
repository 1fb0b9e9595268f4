import {
  createPolicyState,
  decide,
  type Decision,
  type PolicyRequest,
  preparePolicy,
} from '../../policy/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { hasExpired } from '../node/configuration.ts';
import { SigningError } from './errors.ts';

/** The clocks that a decision needs. */
export interface DecisionClocks {
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
  /** Milliseconds of a monotonic clock, for rates. */
  readonly monotonic: () => number;
}

/** Decides one request by the configuration in force. @throws SigningError CONFIGURATION_EXPIRED */
export type Authorise = (request: PolicyRequest) => Decision;

/** Prepares the rules of a configuration; their rates start empty. */
export function createAuthorise(configuration: Configuration, { now, monotonic }: DecisionClocks): Authorise {
  const policy = preparePolicy(configuration);
  const state = createPolicyState(policy, monotonic());
  return (request) => {
    const time = { now: now(), monotonic: monotonic() };
    if (hasExpired(configuration, time.now)) {
      throw new SigningError('CONFIGURATION_EXPIRED', 'the configuration in force has expired', {
        notAfter: configuration.notAfter,
      });
    }
    return decide(policy, request, state, time);
  };
}
