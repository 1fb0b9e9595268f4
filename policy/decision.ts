import {
  type Algorithm,
  ALGORITHMS,
  describeAlgorithm,
  type PayloadKind,
} from '../shared/node/algorithms.ts';
import { type Policy, type PreparedRule } from './policy.ts';
import { type RateLimits, takeToken } from './rate-limits.ts';

interface RequestFields {
  readonly client: string;
  readonly key: string;
  readonly algorithm: Algorithm;
}

/**
 * What a client asks for. `commit` is the first round of FROST: there is no payload yet, so it is allowed where the
 * signing of some payload could be and draws on no rate; the second round is decided as `sign` on the real payload.
 * A share's import is decided with the algorithm that the share will sign with.
 */
export type PolicyRequest =
  | ({ readonly operation: 'sign'; readonly payload: PayloadKind } & RequestFields)
  | ({ readonly operation: 'commit' | 'import-share' } & RequestFields);

export type PolicyRefusal =
  | 'UNKNOWN_CLIENT'
  | 'UNKNOWN_KEY'
  /** The algorithm is not one of the key's type. */
  | 'ALGORITHM_MISMATCH'
  /** The algorithm does not take this kind of payload. */
  | 'PAYLOAD_MISMATCH'
  /** No rule matches in every field, or the request lacks a field that a rule needs. */
  | 'POLICY_DENIED'
  /** Rules match, and all of them are used up for now. */
  | 'RATE_LIMITED';

export type Decision =
  | { readonly allowed: true; readonly rule: string }
  | { readonly allowed: false; readonly code: PolicyRefusal };

const refuse = (code: PolicyRefusal): Decision => ({ allowed: false, code });

/**
 * Decides one request. Everything is denied that no rule permits, and a field that is missing matches nothing, even
 * where the types were circumvented (P46). The only state is in `limits`, from which an allowed request is deducted.
 *
 * @param now milliseconds of the monotonic clock that `limits` was created with
 */
export function decide(policy: Policy, request: PolicyRequest, limits: RateLimits, now: number): Decision {
  const rules = policy.rulesOf.get(request.client);
  if (rules === undefined) return refuse('UNKNOWN_CLIENT');
  const keyType = policy.keys.get(request.key);
  if (keyType === undefined) return refuse('UNKNOWN_KEY');
  if (!ALGORITHMS.includes(request.algorithm)) return refuse('POLICY_DENIED');
  const algorithm = describeAlgorithm(request.algorithm);
  if (algorithm.key !== keyType) return refuse('ALGORITHM_MISMATCH');
  if (request.operation === 'sign') {
    if (request.payload === undefined) return refuse('POLICY_DENIED');
    if (!algorithm.payloads.includes(request.payload)) return refuse('PAYLOAD_MISMATCH');
  }

  let limited = false;
  for (const rule of rules) {
    if (!matches(rule, request, algorithm.payloads)) continue;
    if (
      request.operation === 'commit' ||
      rule.rate === null ||
      takeToken(limits, rule.index, rule.rate, now)
    ) {
      return { allowed: true, rule: rule.id };
    }
    limited = true;
  }
  return refuse(limited ? 'RATE_LIMITED' : 'POLICY_DENIED');
}

function matches(rule: PreparedRule, request: PolicyRequest, payloads: readonly PayloadKind[]): boolean {
  if (!rule.keys.has(request.key) || !rule.algorithms.has(request.algorithm)) return false;
  switch (request.operation) {
    case 'sign':
      return rule.operations.has('sign') && rule.payloads.has(request.payload);
    case 'commit':
      return rule.operations.has('sign') && payloads.some((kind) => rule.payloads.has(kind));
    case 'import-share':
      return rule.operations.has('import-share');
    default:
      // No type allows it; hostile data might.
      return false;
  }
}
