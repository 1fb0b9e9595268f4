import {
  attestationContext,
  buildRequestContext,
  encryptionContext,
  evaluateIdentityPolicies,
  evaluateKeyPolicy,
  type Decision,
  type IdentityDecision,
  type RequestContext,
} from '../../attestation/key-policy/index.ts';
import { AwsServiceError, callerArn, globalContext, type AuthenticatedRequest } from '../aws/plumbing.ts';
import type { EncryptionContext } from './ciphertext.ts';
import { KEY_SPECS } from './key-spec.ts';
import type { Key } from './key-store.ts';

/** What a request tells of itself to policies, beside its caller. */
export interface RequestFacts {
  readonly pcrs?: ReadonlyMap<number, Uint8Array> | undefined;
  readonly encryptionContext?: EncryptionContext | undefined;
  /** Service condition keys of the operation itself. */
  readonly keys?: Readonly<Record<string, string>>;
  /** The alias that the request named, if it did. */
  readonly alias?: string | undefined;
  /** Those that point at the key. */
  readonly keyAliases?: readonly string[];
}

/** One decision on a key, for whoever shows them. */
export interface KeyDecision extends Decision {
  readonly action: string;
  readonly caller: string;
  readonly keyArn: string;
}

/**
 * Lets a request for a key pass if the key's policy and the caller's own allow it.
 * @throws AwsServiceError AccessDeniedException
 */
export function authorizeKey(request: AuthenticatedRequest, key: Key, facts: RequestFacts = {}): KeyDecision {
  const action = `kms:${request.operation}`;
  const context = requestContext(request, facts, key);
  const { caller } = request.credential;
  const decision = evaluateKeyPolicy(key.policy, {
    action,
    caller,
    keyArn: key.arn,
    context,
    identity: decideIdentity(request, key.arn, context),
  });
  return { ...decision, action, caller: callerArn(caller), keyArn: key.arn };
}

/**
 * Operations without a key are up to the caller's own policies.
 * @throws AwsServiceError AccessDeniedException
 */
export function assertIdentityAllows(request: AuthenticatedRequest, facts: RequestFacts = {}): void {
  const context = requestContext(request, facts);
  if (decideIdentity(request, '*', context) !== 'allow') throw accessDenied(request, '*', 'identity-based');
}

export function accessDenied(
  request: AuthenticatedRequest,
  resource: string,
  policy: 'identity-based' | 'resource-based',
): AwsServiceError {
  const caller = callerArn(request.credential.caller);
  const action = `kms:${request.operation}`;
  return new AwsServiceError(
    'AccessDeniedException',
    `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} because no ${policy} policy allows the ${action} action`,
  );
}

function decideIdentity(
  request: AuthenticatedRequest,
  resource: string,
  context: RequestContext,
): IdentityDecision {
  const { caller, policies } = request.credential;
  if (caller.type === 'root') return 'allow';
  return evaluateIdentityPolicies(policies, { action: `kms:${request.operation}`, resource, context });
}

function requestContext(request: AuthenticatedRequest, facts: RequestFacts, key?: Key): RequestContext {
  return buildRequestContext([
    ...globalContext(request),
    ['kms:CallerAccount', request.credential.caller.accountId],
    ['kms:PolicyName', POLICY_OPERATIONS.includes(request.operation) ? 'default' : undefined],
    ...(key === undefined ? [] : keyContext(facts, key)),
    ...attestationContext(facts.pcrs ?? new Map()),
    ...encryptionContext(facts.encryptionContext ?? {}),
    ...Object.entries(facts.keys ?? {}),
  ]);
}

/** Operations on one policy of a key; a key of this stand-in has the one called `default`. */
const POLICY_OPERATIONS: readonly string[] = ['GetKeyPolicy', 'PutKeyPolicy'];

function keyContext(
  { alias, keyAliases }: RequestFacts,
  { spec }: Key,
): [string, string | readonly string[] | undefined][] {
  return [
    ['kms:KeySpec', spec],
    ['kms:KeyUsage', KEY_SPECS[spec].usage],
    ['kms:KeyOrigin', 'AWS_KMS'],
    ['kms:MultiRegion', 'false'],
    ['kms:RequestAlias', alias],
    ['kms:ResourceAliases', keyAliases],
  ];
}
