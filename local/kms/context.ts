import type { AuthenticatedRequest } from '../aws/plumbing.ts';
import type { KeyDecision } from './authorize.ts';
import type { CmsShape } from './cms.ts';
import type { KeyStore } from './key-store.ts';
import type { RecipientVerifier } from './recipient.ts';

/** What KMS operations work with. */
export interface KmsContext {
  readonly keys: KeyStore;
  readonly verifyRecipient: RecipientVerifier;
  readonly cmsShape: CmsShape;
  /** @throws AwsServiceError AccessDeniedException */
  assertAllowed(decision: KeyDecision, request: AuthenticatedRequest): void;
}
