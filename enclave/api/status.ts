import { errorCode, HoldfastError } from '../../shared/errors.ts';
import { LENGTH_REQUIRED_STATUS } from '../../shared/http/index.ts';
import { HttpSignatureError } from '../../shared/http-signature/index.ts';

/** HTTP status by error code, where it is not that of the error class (see {@link describeRefusal}). */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  REQUEST_MALFORMED: 400,
  CIPHERTEXT_OTHER_KEY: 400,
  CONTEXT_UNEXPECTED: 400,
  DECRYPTION_FAILED: 400,
  DELETION_TOO_SOON: 400,
  PEER_KEY_INVALID: 400,
  PLAINTEXT_TOO_LONG: 400,
  NOT_FOUND: 404,
  REQUEST_UNKNOWN: 404,
  QUORUM_ABSENT: 404,
  CEREMONY_NOT_FOUND: 404,
  TRANSCRIPT_NOT_FOUND: 404,
  POOL_KEY_UNKNOWN: 404,
  ALIAS_UNKNOWN: 404,
  BACKUP_EMPTY: 404,
  ACKNOWLEDGEMENT_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  LENGTH_REQUIRED: LENGTH_REQUIRED_STATUS,
  REQUEST_TOO_LARGE: 413,
  REQUEST_DONE: 409,
  APPROVAL_REPEATED: 409,
  CEREMONY_KEY_STATE: 409,
  CEREMONY_RUNNING: 409,
  TOKEN_REUSED: 409,
  ALIAS_EXISTS: 409,
  ALIAS_MISMATCH: 409,
  KEY_DISABLED: 409,
  KEY_PENDING_DELETION: 409,
  KEY_NOT_PENDING_DELETION: 409,
  POOL_FULL: 507,
  POOL_METADATA_FULL: 507,
  QUORUM_UNREACHABLE: 503,
  QUORUM_SHARE_INVALID: 503,
  QUORUM_REQUEST_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  REQUESTS_FULL: 429,
  QUORUM_BELOW_THRESHOLD: 503,
  LOG_CLOSED: 503,
  LOG_NOT_COSIGNED: 503,
  LOG_OVERLOADED: 503,
  LIMIT_EXCEEDED: 429,
  WATERMARK_TOO_LOW: 409,
  WATERMARK_CONFLICT: 409,
  INTERNAL: 500,
  POLICY_FAILED: 500,
  LIMITS_FULL: 503,
  OVERLOADED: 503,
  REPLAY_CACHE_FULL: 503,
  STOPPING: 503,
  STORE_FULL: 507,
};

/** Maps an error to the HTTP status (RFC 9110, 15) and the code that the client receives. */
export function describeRefusal(error: unknown): { readonly status: number; readonly code: string } {
  const code = errorCode(error);
  const byClass = error instanceof HttpSignatureError ? 401 : error instanceof HoldfastError ? 403 : 500;
  return { status: STATUS_BY_CODE[code] ?? byClass, code };
}
