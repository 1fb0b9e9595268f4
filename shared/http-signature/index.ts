export { HttpSignatureError, type HttpSignatureErrorCode } from './errors.ts';
export { ReplayCache } from './replay-cache.ts';
export { type RequestSigner, type RequestToSign, signRequest } from './signing.ts';
export {
  type ReceivedRequest,
  type RequestHead,
  type SignatureVerifier,
  type SignedHead,
  verifyRequestSignature,
  verifySignedHead,
} from './verification.ts';
