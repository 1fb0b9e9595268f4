import { errorCode, HoldfastError } from '../../shared/errors.ts';
import { LENGTH_REQUIRED_STATUS } from '../../shared/http/index.ts';
import { HttpSignatureError } from '../../shared/http-signature/index.ts';

/** The HTTP status of a refusal by its code, where its kind does not tell. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  REQUEST_MALFORMED: 400,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  LENGTH_REQUIRED: LENGTH_REQUIRED_STATUS,
  REQUEST_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  OVERLOADED: 503,
  REPLAY_CACHE_FULL: 503,
  STOPPING: 503,
  STORE_FULL: 507,
};

/** The HTTP status (RFC 9110, 15) and the code that a client is told of an error. */
export function describeRefusal(error: unknown): { readonly status: number; readonly code: string } {
  const code = errorCode(error);
  const byKind = error instanceof HttpSignatureError ? 401 : error instanceof HoldfastError ? 403 : 500;
  return { status: STATUS_BY_CODE[code] ?? byKind, code };
}
