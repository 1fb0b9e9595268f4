import { matchKeyStatement } from './evaluate.ts';
import type { IdentityDecision, KeyRequest } from './evaluate.ts';
import type { KeyPolicy } from './document.ts';

/** One request to a resource of a service other than KMS: a bucket, a function, a secret, a role to be assumed. */
export interface ResourceRequest extends Pick<KeyRequest, 'action' | 'caller' | 'context'> {
  /** ARN of the resource. */
  readonly resource: string;
  /** Account that owns the resource, which the ARN of a bucket does not say. */
  readonly ownerId: string;
  /** What the caller's own policies decide; the root user of an account needs none. */
  readonly identity: IdentityDecision;
}

/** Decision on a resource with a policy, and what decided. */
export interface ResourceDecision {
  readonly decision: 'allow' | 'deny';
  readonly reason:
    | 'explicit-deny'
    | 'identity-deny'
    | 'resource-policy-allow'
    | 'identity-allow'
    /** The resource's policy allows, but the caller's own, in another account, does not. */
    | 'identity-missing'
    | 'implicit-deny';
}

/**
 * Decides one request by the policy of a resource and the caller's own. An explicit Deny wins; within the owner's account
 * either policy is enough, where the resource's names the caller itself; a caller of another account needs both.
 *
 * Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic".
 *
 * @param policy undefined for a resource that has none
 */
export function evaluateResourcePolicy(
  policy: KeyPolicy | undefined,
  { action, caller, context, resource, ownerId, identity }: ResourceRequest,
): ResourceDecision {
  const request = { action, caller, context, keyArn: resource };
  const applying = (policy?.statements ?? [])
    .map((statement) => ({
      effect: statement.effect,
      match: policy === undefined ? ('none' as const) : matchKeyStatement(policy, statement, request),
    }))
    .filter(({ match }) => match !== 'none');
  if (applying.some(({ effect }) => effect === 'Deny')) return { decision: 'deny', reason: 'explicit-deny' };
  if (identity === 'deny') return { decision: 'deny', reason: 'identity-deny' };
  const isDirect = applying.some(({ match }) => match === 'direct');
  if (caller.type === 'service') {
    return isDirect
      ? { decision: 'allow', reason: 'resource-policy-allow' }
      : { decision: 'deny', reason: 'implicit-deny' };
  }
  if (caller.accountId === ownerId) {
    if (isDirect) return { decision: 'allow', reason: 'resource-policy-allow' };
    if (identity === 'allow') return { decision: 'allow', reason: 'identity-allow' };
    return { decision: 'deny', reason: 'implicit-deny' };
  }
  if (applying.length === 0) return { decision: 'deny', reason: 'implicit-deny' };
  return identity === 'allow'
    ? { decision: 'allow', reason: 'resource-policy-allow' }
    : { decision: 'deny', reason: 'identity-missing' };
}
