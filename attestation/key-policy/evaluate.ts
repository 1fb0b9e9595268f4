import { matchConditions } from './condition.ts';
import type { IdentityPolicy, KeyPolicy, KeyPolicyStatement, PolicyDocument, Statement } from './document.ts';
import { compilePattern, matchAction, matchTokens, type RequestContext } from './pattern.ts';
import {
  isExemptByNotPrincipal,
  matchPrincipal,
  type PolicyCaller,
  type PrincipalMatch,
} from './principal.ts';

/** Decision of the policies attached to the caller itself. */
export type IdentityDecision = 'allow' | 'deny' | 'none';

/** One request to KMS. */
export interface KeyRequest {
  /** `kms:Decrypt`, … */
  readonly action: string;
  readonly caller: PolicyCaller;
  /** The key's ARN, never an alias. */
  readonly keyArn: string;
  readonly context: RequestContext;
  /** Default `none`. The root user of an account needs no identity policy. */
  readonly identity?: IdentityDecision;
  /**
   * Reads a Deny with NotPrincipal as sparing every caller that is listed in any way. AWS describes the exact rule loosely, so
   * a search for gaps has to assume the weakest reading. Default: the strictest.
   */
  readonly lenientNotPrincipal?: boolean;
}

export type EvaluationReason =
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

export interface Evaluation {
  readonly decision: 'allow' | 'deny';
  readonly reason: EvaluationReason;
  /** The statement of the key policy that decided, where one did. */
  readonly statement?: { readonly index: number; readonly sid?: string };
}

/**
 * Decides one request as AWS KMS does: an explicit Deny wins; a statement that names the caller allows by itself
 * within the key's account; one that names the account delegates to IAM; a caller of another account needs both.
 *
 * @param request condition keys in lower case in `context`, as `buildRequestContext` makes them; `keyArn` is no alias
 * @returns the decision, its reason, and the statement that decided, where one did
 *
 * Source: KMS Developer Guide, "Determining access", "Default key policy", "Allowing users in other accounts";
 * IAM User Guide, "Policy evaluation logic".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { buildRequestContext, evaluateKeyPolicy, parseKeyPolicy } from '@holdfast-nodes/holdfast/attestation/key-policy';
 *
 * const account = { type: 'root', accountId: '111122223333' };
 * const { decision, reason } = evaluateKeyPolicy(parseKeyPolicy(await readFile('policy.json', 'utf8')), {
 *   action: 'kms:Decrypt',
 *   caller: account,
 *   keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
 *   context: buildRequestContext([]),
 * });
 * console.log(decision, reason); // deny explicit-deny
 * ```
 */
export function evaluateKeyPolicy(policy: KeyPolicy, request: KeyRequest): Evaluation {
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

/**
 * Decides by a caller's own IAM policies together: `deny` if any statement denies, `allow` if one allows, else `none`.
 *
 * @param request `resource` is the ARN of the key; condition keys in lower case in `context`
 *
 * Source: IAM User Guide, "Policy evaluation logic".
 */
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

/**
 * Whether a statement applies to this caller, action and key, apart from its conditions. `maybe`: a variable in Resource
 * decides, whose value the request's context does not have.
 */
export function speaksOf(
  policy: KeyPolicy,
  statement: KeyPolicyStatement,
  request: KeyRequest,
): 'yes' | 'no' | 'maybe' {
  if (matchTarget(statement, request) === 'none') return 'no';
  const [likely, certain] = (['any', 'none'] as const).map((unknown) =>
    matchScope(policy, statement, request, unknown),
  );
  if (likely === certain) return likely === true ? 'yes' : 'no';
  return 'maybe';
}

/** How close a statement, with its conditions, comes to a request. */
export function matchKeyStatement(
  policy: KeyPolicy,
  statement: KeyPolicyStatement,
  request: KeyRequest,
): PrincipalMatch {
  return matchStatement(policy, statement, request) ? matchTarget(statement, request) : 'none';
}

function matchTarget({ principals, effect }: KeyPolicyStatement, request: KeyRequest): PrincipalMatch {
  const { negated, entries } = principals;
  const listed = matchPrincipal(entries, request.caller);
  if (!negated) return listed;
  const strict = effect === 'Deny' && request.lenientNotPrincipal !== true;
  const exempt = strict ? isExemptByNotPrincipal(entries, request.caller) : listed !== 'none';
  return exempt ? 'none' : 'direct';
}

function matchStatement(
  policy: PolicyDocument<Statement>,
  statement: Statement,
  request: Pick<KeyRequest, 'action' | 'context' | 'keyArn'>,
): boolean {
  const variables = policy.version === '2012-10-17';
  return (
    matchScope(policy, statement, request) &&
    matchConditions(statement.conditions, request.context, variables)
  );
}

function matchScope(
  policy: PolicyDocument<Statement>,
  { actions, resources }: Statement,
  request: Pick<KeyRequest, 'action' | 'context' | 'keyArn'>,
  unknown: 'absent' | 'any' | 'none' = 'absent',
): boolean {
  const action = actions.entries.some((pattern) => matchAction(pattern, request.action));
  if (action === actions.negated) return false;
  const resource = resources.entries.some((pattern) => {
    const variables = policy.version === '2012-10-17';
    const tokens = compilePattern(pattern, request.context, { wildcards: true, variables, unknown });
    return tokens !== undefined && matchTokens(tokens, request.keyArn);
  });
  return resource !== resources.negated;
}

function decide(reason: EvaluationReason, statement?: Statement): Evaluation {
  const decision = reason === 'key-policy-allow' || reason === 'delegated-allow' ? 'allow' : 'deny';
  if (statement === undefined) return { decision, reason };
  const { index, sid } = statement;
  return { decision, reason, statement: sid === undefined ? { index } : { index, sid } };
}
