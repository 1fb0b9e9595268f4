export type { KeyDecision } from './authorize.ts';
export type { CmsShape } from './cms.ts';
export { createRecipientVerifier } from './document-verifier.ts';
export { createKmsService } from './kms.ts';
export type { RecipientVerifier } from './recipient.ts';
