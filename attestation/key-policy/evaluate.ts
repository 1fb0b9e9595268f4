import { matchConditions } from './condition.ts';
import type { IdentityPolicy, KeyPolicy, PolicyDocument, Statement } from './document.ts';
import { compilePattern, matchAction, matchTokens, type RequestContext } from './pattern.ts';
import { isExemptByNotPrincipal, matchPrincipal, type Caller, type PrincipalMatch } from './principal.ts';

/** What the policies attached to the caller itself say about a request. */
export type IdentityDecision = 'allow' | 'deny' | 'none';

export interface KeyRequest {
  /** `kms:Decrypt`, … */
  readonly action: string;
  readonly caller: Caller;
  /** The key's ARN, never an alias. */
  readonly keyArn: string;
  readonly context: RequestContext;
  /** Default `none`. The root user of an account needs no identity policy. */
  readonly identity?: IdentityDecision;
}

export type DecisionReason =
  /** A Deny of the key policy applies. */
  | 'explicit-deny'
  /** A Deny of the caller's own policies applies. */
  | 'identity-deny'
  /** The key policy names the caller. */
  | 'key-policy-allow'
  /** The key policy names the caller's account, and the caller's own policies allow. */
  | 'delegated-allow'
  /** The key policy allows, but the caller's own policies, which decide too, do not. */
  | 'identity-missing'
  | 'implicit-deny';

export interface Decision {
  readonly decision: 'allow' | 'deny';
  readonly reason: DecisionReason;
  /** The statement of the key policy that decided, where one did. */
  readonly statement?: { readonly index: number; readonly sid?: string };
}

/**
 * Decides one request as AWS KMS does: an explicit Deny wins; a statement that names the caller allows by itself
 * within the key's account; one that names the account delegates to IAM; a caller of another account needs both.
 * Source: KMS Developer Guide, "Determining access", "Default key policy", "Allowing users in other accounts";
 * IAM User Guide, "Policy evaluation logic".
 */
export function evaluateKeyPolicy(policy: KeyPolicy, request: KeyRequest): Decision {
  const applying = policy.statements
    .map((statement) => ({ statement, match: matchKeyStatement(policy, statement, request) }))
    .filter(({ match }) => match !== 'none');
  const denying = applying.find(({ statement }) => statement.effect === 'Deny');
  if (denying !== undefined) return decide('explicit-deny', denying.statement);

  const identity = request.identity ?? (request.caller.type === 'root' ? 'allow' : 'none');
  if (identity === 'deny') return decide('identity-deny');

  const direct = applying.find(({ match }) => match === 'direct');
  const allowing = direct ?? applying[0];
  if (allowing === undefined) return decide('implicit-deny');
  if (direct !== undefined && !isForeign(request)) return decide('key-policy-allow', direct.statement);
  return decide(identity === 'allow' ? 'delegated-allow' : 'identity-missing', allowing.statement);
}

/** What a caller's own policies say, all together. */
export function evaluateIdentityPolicies(
  policies: readonly IdentityPolicy[],
  request: Pick<KeyRequest, 'action' | 'context'> & { readonly resource: string },
): IdentityDecision {
  const effects = policies.flatMap((policy) =>
    policy.statements
      .filter((statement) => matchStatement(policy, statement, { ...request, keyArn: request.resource }))
      .map((statement) => statement.effect),
  );
  if (effects.includes('Deny')) return 'deny';
  return effects.includes('Allow') ? 'allow' : 'none';
}

function isForeign({ caller, keyArn }: KeyRequest): boolean {
  return caller.type !== 'service' && caller.accountId !== keyArn.split(':')[4];
}

function matchKeyStatement(
  policy: KeyPolicy,
  statement: KeyPolicy['statements'][number],
  request: KeyRequest,
): PrincipalMatch {
  if (!matchStatement(policy, statement, request)) return 'none';
  const { negated, entries } = statement.principals;
  if (!negated) return matchPrincipal(entries, request.caller);
  if (statement.effect === 'Deny') return isExemptByNotPrincipal(entries, request.caller) ? 'none' : 'direct';
  return matchPrincipal(entries, request.caller) === 'none' ? 'direct' : 'none';
}

function matchStatement(
  policy: PolicyDocument<Statement>,
  statement: Statement,
  request: Pick<KeyRequest, 'action' | 'context' | 'keyArn'>,
): boolean {
  const variables = policy.version === '2012-10-17';
  const { actions, resources } = statement;
  const action = actions.entries.some((pattern) => matchAction(pattern, request.action));
  if (action === actions.negated) return false;
  const resource = resources.entries.some((pattern) => {
    const tokens = compilePattern(pattern, request.context, { wildcards: true, variables });
    return tokens !== undefined && matchTokens(tokens, request.keyArn);
  });
  if (resource === resources.negated) return false;
  return matchConditions(statement.conditions, request.context, variables);
}

function decide(reason: DecisionReason, statement?: Statement): Decision {
  const decision = reason === 'key-policy-allow' || reason === 'delegated-allow' ? 'allow' : 'deny';
  if (statement === undefined) return { decision, reason };
  const { index, sid } = statement;
  return { decision, reason, statement: sid === undefined ? { index } : { index, sid } };
}
