import type { Scope } from '../../../shared/kms/index.ts';
import type { AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { AliasStore } from './alias-store.ts';
import type { KeyDecision } from './authorize.ts';
import type { CmsShape } from './cms.ts';
import type { GrantStore } from './grant-store.ts';
import type { KeyStore } from './key-store.ts';
import type { RecipientVerifier } from './recipient.ts';

/** State and parts that KMS operations work with. */
export interface KmsContext {
  readonly keys: KeyStore;
  readonly aliases: AliasStore;
  readonly grants: GrantStore;
  readonly verifyRecipient: RecipientVerifier;
  readonly cmsShape: CmsShape;
  /** Whether an account was closed, whose keys nobody uses then. */
  readonly isClosed: (accountId: string) => boolean;
  /** Called for every decision on a key. */
  readonly onDecision?: ((decision: KeyDecision) => void) | undefined;
}

/** Operation of the stand-in: returns a response's members, or nothing. */
export type KmsOperation = (kms: KmsContext, request: AuthenticatedRequest) => unknown;

/** Account and Region of the keys that a request means when it names no others. */
export function scopeOf({ credential, region }: AuthenticatedRequest): Scope {
  return { accountId: credential.caller.accountId, region };
}
