export { claimedService } from './authorization.ts';
export { ChunkReader, isChunked } from './aws-chunked.ts';
export {
  decodeUri,
  encodeUri,
  parseQuery,
  splitTarget,
  type PathEncoding,
  type RequestHead,
} from './canonical-request.ts';
export { presignUrl, type PresignOptions } from './presign.ts';
export { SignatureRefusal, type SignatureProblem } from './refusal.ts';
export type { SigningCredential } from './signing-key.ts';
export { verifyHead, type SignatureScope, type VerifiedSignature } from './verification.ts';
export { verifySignature } from './whole-body.ts';
