export type { KeyDecision } from './model/authorize.ts';
export type { CmsShape } from './model/cms.ts';
export { createRecipientVerifier } from './document-verifier.ts';
export { createKmsService } from './kms.ts';
export type { RecipientVerifier } from './model/recipient.ts';
