import { assertEnabled, assertUsage, dryRun, type NeededUsage } from '../../../shared/kms/index.ts';
import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { authorizeKey, type KeyDecision, type RequestFacts } from './authorize.ts';
import { type KmsContext, scopeOf } from './context.ts';
import type { Key } from './key-store.ts';

/** Facts that requests which use a key share. */
export interface KeyUse extends RequestFacts, NeededUsage {
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
  assertUsage(request.operation, key, use);
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
