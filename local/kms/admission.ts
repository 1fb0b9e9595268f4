import { AwsServiceError, type AuthenticatedRequest } from '../aws/plumbing.ts';
import { authorizeKey, type RequestFacts } from './authorize.ts';
import type { KmsContext } from './context.ts';
import { KEY_SPECS } from './key-spec.ts';
import type { Key, Scope } from './key-store.ts';

/** What requests that use a key share. */
export interface KeyUse {
  readonly usage: 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY';
  /** The key as the request named it. */
  readonly named?: string | undefined;
  readonly facts: Pick<RequestFacts, 'pcrs' | 'encryptionContext' | 'keys'>;
  /** The algorithm that the request asks for, and the one that the key has. */
  readonly algorithm?: { readonly asked: string | undefined; readonly has: string };
  readonly grantTokens?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
}

/**
 * Decides on the request, then looks at the state of the key and at what it is for.
 * @throws AwsServiceError AccessDeniedException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException,
 *   InvalidGrantTokenException, DryRunOperationException
 */
export function admitUse(kms: KmsContext, request: AuthenticatedRequest, key: Key, use: KeyUse): void {
  const { named, algorithm } = use;
  if ((use.grantTokens ?? []).length > 0) {
    throw new AwsServiceError('InvalidGrantTokenException', 'There are no grants here');
  }
  const facts: RequestFacts = {
    ...use.facts,
    alias: named?.includes('alias/') === true ? named.slice(named.indexOf('alias/')) : undefined,
    keyAliases: kms.keys
      .aliases(key)
      .filter(({ keyArn }) => keyArn === key.arn)
      .map(({ name }) => name),
  };
  kms.assertAllowed(authorizeKey(request, key, facts), request);
  if (key.state === 'Disabled') throw new AwsServiceError('DisabledException', `${key.arn} is disabled.`);
  if (key.state === 'PendingDeletion') {
    throw new AwsServiceError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  }
  const { usage } = KEY_SPECS[key.spec];
  if (usage !== use.usage) {
    throw new AwsServiceError(
      'InvalidKeyUsageException',
      `${key.arn} key usage is ${usage} which is not valid for ${request.operation}.`,
    );
  }
  if (algorithm?.asked !== undefined && algorithm.asked !== algorithm.has) {
    throw new AwsServiceError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm.asked} is incompatible with key spec ${key.spec}.`,
    );
  }
  if (use.dryRun === true) {
    throw new AwsServiceError(
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    );
  }
}

/** Whose keys a request means when it names no other. */
export function scopeOf({ credential, region }: AuthenticatedRequest): Scope {
  return { accountId: credential.caller.accountId, region };
}
