export { SignerError, type SignerErrorCode } from './errors.ts';
export { assertSignable } from './payload.ts';
export type { KeySignature, Signer, SigningRequest, SigningRound } from './signer.ts';
