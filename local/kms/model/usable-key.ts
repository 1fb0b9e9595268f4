import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { authorizeKey, type KeyDecision, type RequestFacts } from './authorize.ts';
import { type KmsContext, scopeOf } from './context.ts';
import { algorithmsOf, specDetails, type KeySpecDetails, type KeyUsage } from './key-spec.ts';
import type { Key } from './key-store.ts';

/** Facts that requests which use a key share. */
export interface KeyUse extends RequestFacts {
  /** Usage that the operation needs; undefined for operations on keys of every usage. */
  readonly usage?: KeyUsage;
  /** Kind of key that the operation needs, where the usage does not say it. */
  readonly type?: KeySpecDetails['type'];
  /** Algorithm that the request asks for. */
  readonly algorithm?: string | undefined;
  readonly grantTokens?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
}

/**
 * Decides on the request, then checks the key's state and purpose: a caller without rights learns nothing of the key.
 * @throws AwsServiceError InvalidGrantTokenException, AccessDeniedException, DisabledException,
 * KMSInvalidStateException, InvalidKeyUsageException, DryRunOperationException
 */
export function admitUse(kms: KmsContext, request: AuthenticatedRequest, key: Key, use: KeyUse): KeyDecision {
  assertGrantTokens(kms, use.grantTokens);
  const decision = authorizeKey(kms, request, key, use);
  assertEnabled(key);
  assertUsage(request, key, use);
  if (use.dryRun === true) throw dryRun();
  return decision;
}

/**
 * Finds the key that a request names in any way, and admits its use.
 * @throws AwsServiceError NotFoundException, InvalidArnException, and as {@link admitUse}
 */
export function admitNamed(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: {
    readonly KeyId: string;
    readonly GrantTokens?: readonly string[] | undefined;
    readonly DryRun?: boolean | undefined;
  },
  use: Omit<KeyUse, 'named' | 'grantTokens' | 'dryRun'>,
): Key {
  const { KeyId: named, GrantTokens: grantTokens, DryRun: isDryRun } = input;
  const key = kms.aliases.resolveKey(named, scopeOf(request));
  admitUse(kms, request, key, { ...use, named, grantTokens, dryRun: isDryRun });
  return key;
}

/** Asserts that tokens are grants' tokens. Grants hold at once here, so that a token adds nothing. */
export function assertGrantTokens(kms: KmsContext, tokens: readonly string[] = []): void {
  if (tokens.some((token) => kms.grants.findByToken(token) === undefined)) {
    throw new AwsServiceError('InvalidGrantTokenException', 'Invalid grant token');
  }
}

/** Asserts that a key is enabled. @throws AwsServiceError DisabledException, KMSInvalidStateException */
export function assertEnabled(key: Key): void {
  if (key.state === 'Disabled') throw new AwsServiceError('DisabledException', `${key.arn} is disabled.`);
  assertNotPendingDeletion(key);
}

/** Asserts that a key is not pending deletion. @throws AwsServiceError KMSInvalidStateException */
export function assertNotPendingDeletion({ arn, state }: Key): void {
  if (state === 'PendingDeletion') {
    throw new AwsServiceError('KMSInvalidStateException', `${arn} is pending deletion.`);
  }
}

export function dryRun(): AwsServiceError {
  return new AwsServiceError(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  );
}

function assertUsage({ operation }: AuthenticatedRequest, key: Key, use: KeyUse): void {
  const { arn, spec, usage } = key;
  if (use.usage !== undefined && use.usage !== usage) {
    throw invalidUsage(`${arn} key usage is ${usage} which is not valid for ${operation}.`);
  }
  if (use.type !== undefined && use.type !== specDetails(spec).type) {
    throw invalidUsage(`${arn} key spec is ${spec} which is not valid for ${operation}.`);
  }
  if (use.algorithm !== undefined && !algorithmsOf(spec, usage).includes(use.algorithm)) {
    throw invalidUsage(`Algorithm ${use.algorithm} is incompatible with key spec ${spec}.`);
  }
}

function invalidUsage(message: string): AwsServiceError {
  return new AwsServiceError('InvalidKeyUsageException', message);
}
