import type { AuthenticatedRequest } from '../aws/plumbing.ts';
import type { AliasStore } from './alias-store.ts';
import type { KeyDecision } from './authorize.ts';
import type { CmsShape } from './cms.ts';
import type { GrantStore } from './grant-store.ts';
import type { Scope } from './key-names.ts';
import type { KeyStore } from './key-store.ts';
import type { RecipientVerifier } from './recipient.ts';

/** What KMS operations work with. */
export interface KmsContext {
  readonly keys: KeyStore;
  readonly aliases: AliasStore;
  readonly grants: GrantStore;
  readonly verifyRecipient: RecipientVerifier;
  readonly cmsShape: CmsShape;
  /** Told of every decision on a key. */
  readonly onDecision?: ((decision: KeyDecision) => void) | undefined;
}

/** What an operation of the stand-in is: a response's members, or nothing. */
export type KmsOperation = (kms: KmsContext, request: AuthenticatedRequest) => unknown;

/** Whose keys a request means when it names no other. */
export function scopeOf({ credential, region }: AuthenticatedRequest): Scope {
  return { accountId: credential.caller.accountId, region };
}
