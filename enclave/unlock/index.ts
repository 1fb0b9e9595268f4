export { createKms, type Kms } from './kms.ts';
export { createRecipient, type Recipient } from './recipient.ts';
export { amazonTrustRoots } from './trust-roots.ts';
