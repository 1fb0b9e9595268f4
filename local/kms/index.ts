export type { KeyDecision } from './authorize.ts';
export type { CmsShape } from './cms.ts';
export { createRecipientVerifier } from './document-verifier.ts';
export { createKmsService, type KmsOptions } from './kms.ts';
export type { AttestedRecipient, RecipientVerifier } from './recipient.ts';
