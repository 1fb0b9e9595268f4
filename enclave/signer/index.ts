export { SignerError, type SignerErrorCode } from './errors.ts';
export { assertSignable, decodePayload, type PayloadBytes } from './payload.ts';
export type { KeySignature, SignatureShare, Signer, SigningRequest, SigningRound } from './signer.ts';
