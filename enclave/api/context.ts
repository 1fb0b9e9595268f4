import type { SignedConfiguration } from '../../shared/node/configuration.ts';
import type { NodeClock } from '../node/clock.ts';
import { hasExpired } from '../node/configuration.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { Keyring } from '../keyring/index.ts';
import type { NsmClient } from '../nsm/index.ts';
import { createRateLimits, decide, preparePolicy, type PolicyRequest } from '../../policy/index.ts';
import { ApiError, PolicyError } from './errors.ts';

/** What the interface serves from. */
export interface ApiContext {
  readonly nsm: NsmClient;
  readonly clock: NodeClock;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  readonly keyring: Keyring;
}

/** The name of the rule that allows a request; whatever no rule allows is thrown out. */
export type Authorise = (request: PolicyRequest) => string;

/** @throws PolicyError, ApiError CONFIGURATION_EXPIRED from what it returns */
export function createAuthorise({ signed, clock }: Pick<ApiContext, 'signed' | 'clock'>): Authorise {
  const policy = preparePolicy(signed.configuration);
  const limits = createRateLimits(policy.ruleCount, performance.now());
  return (request) => {
    if (hasExpired(signed.configuration, clock.now())) {
      throw new ApiError('CONFIGURATION_EXPIRED', 'the time of the configuration is over');
    }
    const decision = decide(policy, request, limits, performance.now());
    if (!decision.allowed) throw new PolicyError(decision.code, 'the policy does not allow this request');
    return decision.rule;
  };
}
