import {
  attestationContext,
  buildRequestContext,
  encryptionContext,
  evaluateIdentityPolicies,
  evaluateKeyPolicy,
  type Evaluation,
  type IdentityDecision,
  type RequestContext,
} from '../../../attestation/key-policy/index.ts';
import { type EncryptionContext, isMultiRegion } from '../../../shared/kms/index.ts';
import { AwsServiceError, callerArn, globalContext, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { KmsContext } from './context.ts';
import { permits, type Grant } from './grant.ts';
import type { Key } from './key-store.ts';

/** Condition keys and their values; an undefined value is an absent key. */
export type ConditionKeys = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Facts of a request for policies, beside its caller. */
export interface RequestFacts {
  /** Permission that the request needs, where it is not called after the operation. */
  readonly action?: string | undefined;
  readonly pcrs?: ReadonlyMap<number, Uint8Array> | undefined;
  /** Encryption context; absent in operations that have none, empty where the request has left it out. */
  readonly encryptionContext?: EncryptionContext | undefined;
  /** Service condition keys of the operation itself. */
  readonly keys?: ConditionKeys | undefined;
  /** KeyId parameter as the request has it. */
  readonly named?: string | undefined;
}

/** Decision on a key, for observers. */
export interface KeyDecision extends Omit<Evaluation, 'reason'> {
  readonly reason: Evaluation['reason'] | 'grant-allow';
  readonly action: string;
  readonly caller: string;
  readonly keyArn: string;
  /** Grant that allowed, where neither the key policy nor IAM did. */
  readonly grant?: Grant;
}

/**
 * Lets a request for a key pass if the key's policy and the caller's own allow it, or else a grant does. A grant helps
 * against no Deny. Source: KMS Developer Guide, "Determining access to AWS KMS keys", "Grants in AWS KMS".
 * @throws AwsServiceError AccessDeniedException
 */
export function authorizeKey(
  kms: KmsContext,
  request: AuthenticatedRequest,
  key: Key,
  facts: RequestFacts = {},
): KeyDecision {
  if (kms.isClosed(key.accountId)) {
    throw new AwsServiceError('AccessDeniedException', 'The account of this key is closed');
  }
  const decision = decideKey(kms, request, key, facts);
  kms.onDecision?.(decision);
  if (decision.decision === 'deny') throw accessDenied(decision);
  return decision;
}

function decideKey(
  kms: KmsContext,
  request: AuthenticatedRequest,
  key: Key,
  facts: RequestFacts,
): KeyDecision {
  const operation = facts.action ?? request.operation;
  const { caller } = request.credential;
  const context = buildRequestContext([
    ...requestContext(request, facts),
    ...keyContext(kms, key, facts.named),
  ]);
  const action = `kms:${operation}`;
  const identity = decideIdentity(request, action, key.arn, context);
  const decision = evaluateKeyPolicy(key.policy, { action, caller, keyArn: key.arn, context, identity });
  const shown = { ...decision, action, caller: callerArn(caller), keyArn: key.arn };
  const isDenied = decision.reason === 'explicit-deny' || decision.reason === 'identity-deny';
  if (decision.decision === 'allow' || isDenied) return shown;
  const { encryptionContext: pairs } = facts;
  const asked = { operation, caller, delegated: identity === 'allow', encryptionContext: pairs };
  const grant = kms.grants.of(key.arn).find((candidate) => permits(candidate, asked));
  if (grant === undefined) return shown;
  return { action, caller: shown.caller, keyArn: key.arn, decision: 'allow', reason: 'grant-allow', grant };
}

/**
 * Asserts that the caller's own policies allow an operation without a key, or on an alias.
 * @throws AwsServiceError AccessDeniedException
 */
export function assertIdentityAllows(
  request: AuthenticatedRequest,
  facts: RequestFacts = {},
  resource = '*',
): void {
  const context = buildRequestContext(requestContext(request, facts));
  const action = `kms:${facts.action ?? request.operation}`;
  const decision = decideIdentity(request, action, resource, context);
  if (decision === 'allow') return;
  throw accessDenied({
    action,
    caller: callerArn(request.credential.caller),
    keyArn: resource,
    reason: decision === 'deny' ? 'identity-deny' : 'identity-missing',
  });
}

const WHY: Readonly<Record<KeyDecision['reason'], (action: string) => string>> = {
  'explicit-deny': () => 'with an explicit deny in a resource-based policy',
  'identity-deny': () => 'with an explicit deny in an identity-based policy',
  'identity-missing': (action) => `because no identity-based policy allows the ${action} action`,
  'implicit-deny': (action) => `because no resource-based policy allows the ${action} action`,
  // Reasons that allow never become a refusal.
  'key-policy-allow': () => '',
  'delegated-allow': () => '',
  'grant-allow': () => '',
};

/** Refusal of a request in AWS's words; `keyArn` is the resource, whatever it is. */
export function accessDenied({
  action,
  caller,
  keyArn,
  reason,
}: Pick<KeyDecision, 'action' | 'caller' | 'keyArn' | 'reason'>): AwsServiceError {
  return new AwsServiceError(
    'AccessDeniedException',
    `User: ${caller} is not authorized to perform: ${action} on resource: ${keyArn} ${WHY[reason](action)}`,
  );
}

function decideIdentity(
  request: AuthenticatedRequest,
  action: string,
  resource: string,
  context: RequestContext,
): IdentityDecision {
  const { caller, policies } = request.credential;
  if (caller.type === 'root') return 'allow';
  return evaluateIdentityPolicies(policies, { action, resource, context });
}

function requestContext(
  request: AuthenticatedRequest,
  facts: RequestFacts,
): [string, string | readonly string[] | undefined][] {
  return [
    ...globalContext(request),
    ['kms:CallerAccount', request.credential.caller.accountId],
    ...attestationContext(facts.pcrs ?? new Map()),
    ...encryptionContext(facts.encryptionContext ?? {}),
    ...Object.entries(facts.keys ?? {}),
  ];
}

function keyContext(
  kms: KmsContext,
  key: Key,
  named: string | undefined,
): [string, string | readonly string[] | undefined][] {
  return [
    ...Object.entries(keyKindContext({ ...key, multiRegion: isMultiRegion(key) })),
    [
      'kms:RequestAlias',
      named?.includes('alias/') === true ? named.slice(named.indexOf('alias/')) : undefined,
    ],
    ['kms:ResourceAliases', kms.aliases.of(key).map(({ name }) => name)],
    ...Object.entries(key.tags).map(([tag, value]): [string, string] => [`aws:ResourceTag/${tag}`, value]),
  ];
}

/** Condition keys for the kind of a key that exists, or is to be made. */
export function keyKindContext({
  spec,
  usage,
  multiRegion,
}: Pick<Key, 'spec' | 'usage'> & { readonly multiRegion: boolean }): ConditionKeys {
  return {
    'kms:KeySpec': spec,
    'kms:KeyUsage': usage,
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:MultiRegion': String(multiRegion),
    'kms:MultiRegionKeyType': multiRegion ? 'PRIMARY' : undefined,
  };
}
