import { type Algorithm, ALGORITHMS, describeAlgorithm, type PayloadKind } from '../shared/algorithms.ts';
import { type Policy, type PreparedRule } from './policy.ts';
import { type RateLimits, takeToken, waitForToken } from './rate-limits.ts';

interface RequestFields {
  readonly client: string;
  readonly key: string;
  readonly algorithm: Algorithm;
}

/**
 * A request of a client, as far as rules see it. `commit` is the first round of FROST: there is no payload yet, so
 * `commit` is permitted where the signing of some payload would be, and draws on no rate; the second round is decided
 * as `sign` on the real payload. A share's import is decided with the algorithm that the share will sign with.
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

/** A field of a rule that a request can fail to match. */
export type RuleField = 'keys' | 'algorithms' | 'operations' | 'payloads';

/** Why one rule of the client does not permit the request: the first field that does not match. */
export interface Mismatch {
  readonly rule: string;
  readonly field: RuleField;
}

/** A condition that would turn a denial into a permission: the milliseconds until a rule's rate has a request left. */
export interface Need {
  readonly kind: 'time';
  readonly rule: string;
  readonly milliseconds: number;
}

export type Decision =
  | { readonly outcome: 'permitted'; readonly rule: string }
  | {
      readonly outcome: 'denied';
      readonly code: PolicyRefusal;
      /** For `POLICY_DENIED`, the client's rules in their order, at most {@link MAX_REASONS} of them. */
      readonly reasons: readonly Mismatch[];
      /** For `RATE_LIMITED`, each rule that would permit the request later. */
      readonly needs: readonly Need[];
    };

/** The most rules that a denial explains: a client may have thousands. */
export const MAX_REASONS = 16;

const deny = (
  code: PolicyRefusal,
  { reasons = [], needs = [] }: { reasons?: readonly Mismatch[]; needs?: readonly Need[] } = {},
): Decision => ({ outcome: 'denied', code, reasons, needs });

/**
 * Decides one request. Everything is denied that no rule permits, and a field that is missing matches nothing, even
 * where the types were circumvented. The only state is in `limits`, from which a permitted request is deducted.
 *
 * @param now milliseconds of the monotonic clock that `limits` was created with
 */
export function decide(policy: Policy, request: PolicyRequest, limits: RateLimits, now: number): Decision {
  const rules = policy.rulesOf.get(request.client);
  if (rules === undefined) return deny('UNKNOWN_CLIENT');
  const keyType = policy.keys.get(request.key);
  if (keyType === undefined) return deny('UNKNOWN_KEY');
  if (!ALGORITHMS.includes(request.algorithm)) return deny('POLICY_DENIED');
  const algorithm = describeAlgorithm(request.algorithm);
  if (algorithm.key !== keyType) return deny('ALGORITHM_MISMATCH');
  if (request.operation === 'sign') {
    if (request.payload === undefined) return deny('POLICY_DENIED');
    if (!algorithm.payloads.includes(request.payload)) return deny('PAYLOAD_MISMATCH');
  }

  const reasons: Mismatch[] = [];
  const needs: Need[] = [];
  for (const rule of rules) {
    const field = findMismatch(rule, request, algorithm.payloads);
    if (field !== undefined) {
      if (reasons.length < MAX_REASONS) reasons.push({ rule: rule.id, field });
      continue;
    }
    if (
      request.operation === 'commit' ||
      rule.rate === null ||
      takeToken(limits, rule.index, rule.rate, now)
    ) {
      return { outcome: 'permitted', rule: rule.id };
    }
    needs.push({
      kind: 'time',
      rule: rule.id,
      milliseconds: waitForToken(limits, rule.index, rule.rate, now),
    });
  }
  return needs.length > 0 ? deny('RATE_LIMITED', { needs }) : deny('POLICY_DENIED', { reasons });
}

/** The first field in which a rule does not match the request; undefined where it matches in every field. */
function findMismatch(
  rule: PreparedRule,
  request: PolicyRequest,
  payloads: readonly PayloadKind[],
): RuleField | undefined {
  if (!rule.keys.has(request.key)) return 'keys';
  if (!rule.algorithms.has(request.algorithm)) return 'algorithms';
  switch (request.operation) {
    case 'sign':
      if (!rule.operations.has('sign')) return 'operations';
      return rule.payloads.has(request.payload) ? undefined : 'payloads';
    case 'commit':
      if (!rule.operations.has('sign')) return 'operations';
      return payloads.some((kind) => rule.payloads.has(kind)) ? undefined : 'payloads';
    case 'import-share':
      return rule.operations.has('import-share') ? undefined : 'operations';
    default:
      // No type allows another operation; hostile data might.
      return 'operations';
  }
}
