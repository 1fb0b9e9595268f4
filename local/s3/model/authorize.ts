import {
  buildRequestContext,
  evaluateIdentityPolicies,
  evaluateResourcePolicy,
  type KeyPolicy,
  parseKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { callerArn, globalContext, type RestRequest } from '../../aws/plumbing.ts';
import { accessDenied } from '../errors.ts';
import type { Bucket } from './records.ts';

/** Request of an action, and what conditions may ask of it. */
export interface ActionFacts {
  /** `s3:GetObject`, … */
  readonly action: string;
  /** Key of an object; the bucket itself when left out. */
  readonly key?: string | undefined;
  readonly keys?: Readonly<Record<string, string | undefined>>;
}

/** Policies as they were parsed last, by bucket: a bucket's record changes with its policy. */
const parsed = new WeakMap<Bucket, KeyPolicy>();

/**
 * Lets a request pass where the bucket's policy and the caller's own allow it, both for a caller of another account.
 * Anonymous requests are refused: public buckets are no part of the stand-in.
 * @throws AwsServiceError AccessDenied
 */
export function authorize(request: RestRequest, bucket: Bucket, facts: ActionFacts): void {
  if (!isAllowed(request, bucket, facts)) throw deniedTo(request, facts, bucket);
}

/** True where {@link authorize} lets the request pass. */
export function isAllowed(request: RestRequest, bucket: Bucket, facts: ActionFacts): boolean {
  const { credential } = request;
  if (credential === undefined) return false;
  const resource = arnOf(bucket, facts.key);
  const context = buildRequestContext([
    ...globalContext({ ...request, credential }),
    ...Object.entries({
      'aws:ResourceAccount': bucket.accountId,
      's3:ResourceAccount': bucket.accountId,
      's3:authType': request.isUrl ? 'REST-QUERY-STRING' : 'REST-HEADER',
      's3:signatureversion': 'AWS4-HMAC-SHA256',
      's3:TlsVersion': '1.3',
      's3:x-amz-content-sha256': request.headers.get('x-amz-content-sha256'),
      's3:if-match': request.headers.get('if-match'),
      's3:if-none-match': request.headers.get('if-none-match'),
      ...facts.keys,
    }),
  ]);
  const { caller, policies } = credential;
  const { action } = facts;
  const identity =
    caller.type === 'root' ? 'allow' : evaluateIdentityPolicies(policies, { action, resource, context });
  const asked = { action, caller, resource, ownerId: bucket.accountId, context, identity } as const;
  return evaluateResourcePolicy(policyOf(bucket), asked).decision === 'allow';
}

/** Asserts that the caller's own policies allow an operation on no bucket yet. @throws AwsServiceError AccessDenied */
export function authorizeOwn(request: RestRequest, action: string, resource = '*'): void {
  const { credential } = request;
  if (credential === undefined) throw accessDenied();
  const { caller, policies } = credential;
  const context = buildRequestContext([...globalContext({ ...request, credential })]);
  if (caller.type === 'root') return;
  if (evaluateIdentityPolicies(policies, { action, resource, context }) !== 'allow') {
    throw accessDenied(
      `User: ${callerArn(caller)} is not authorized to perform: ${action} on resource: "${resource}" because no identity-based policy allows the ${action} action`,
    );
  }
}

function policyOf(bucket: Bucket): KeyPolicy | undefined {
  if (bucket.policy === undefined) return undefined;
  const known = parsed.get(bucket) ?? parseKeyPolicy(bucket.policy);
  parsed.set(bucket, known);
  return known;
}

/** ARN of a bucket or of an object in it. */
export function arnOf({ name }: Pick<Bucket, 'name'>, key?: string): string {
  return `arn:aws:s3:::${name}${key === undefined ? '' : `/${key}`}`;
}

function deniedTo({ credential }: RestRequest, { action, key }: ActionFacts, bucket: Bucket): Error {
  if (credential === undefined) return accessDenied();
  return accessDenied(
    `User: ${callerArn(credential.caller)} is not authorized to perform: ${action} on resource: "${arnOf(bucket, key)}"`,
  );
}
