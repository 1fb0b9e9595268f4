export { HttpSignatureError, type HttpSignatureErrorCode } from './errors.ts';
export { ReplayCache, SIGNATURE_WINDOW_SECONDS } from './replay-cache.ts';
export { type RequestSigner, type RequestToSign, signRequest } from './signing.ts';
export {
  collectSignedFields,
  type ReceivedRequest,
  type RequestHead,
  SIGNED_FIELDS,
  type SignatureVerifier,
  type SignedField,
  type SignedHead,
  verifyRequestSignature,
  verifySignedHead,
} from './verification.ts';
