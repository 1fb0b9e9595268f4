export { type Assertion, verifyAssertion } from './assertion.ts';
export { decodeBase64Url, encodeBase64Url } from './base64url.ts';
export { WebAuthnError, type WebAuthnErrorCode } from './errors.ts';
export { verifyRegistration } from './registration.ts';
