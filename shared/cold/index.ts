export { ColdError, type ColdErrorCode } from './errors.ts';
export { type ColdIdentity, createColdIdentity, openColdIdentity } from './identity.ts';
export {
  type ColdRequest,
  createColdRequest,
  MAX_COLD_REQUEST_BYTES,
  MAX_REQUEST_AGE_MS,
  type UnverifiedColdRequest,
  unsafeParseColdRequest,
  verifyColdRequest,
} from './request.ts';
export { joinParts, looksLikeParts, splitIntoParts } from './parts.ts';
export {
  type ColdOutcome,
  type ColdResponse,
  createColdResponse,
  MAX_COLD_RESPONSE_BYTES,
  openColdResponse,
} from './response.ts';
