export { createKms, type Kms } from './kms.ts';
export { createRecipient, type Recipient } from './recipient.ts';
