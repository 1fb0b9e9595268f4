import { HoldfastError } from '../errors.ts';

export type JsonErrorCode =
  | 'JSON_DUPLICATE_KEY'
  /** `__proto__`, which libraries that copy objects drop or obey. */
  | 'JSON_FORBIDDEN_KEY'
  /** A number that a double does not hold: an unsafe integer, or one that overflows. */
  | 'JSON_NUMBER'
  | 'JSON_SYNTAX'
  | 'JSON_TOO_DEEP'
  | 'JSON_TOO_LARGE'
  | 'JSON_TRAILING_BYTES'
  | 'JSON_TRUNCATED'
  /** Bytes that are not UTF-8, or an escape that leaves half a surrogate pair. */
  | 'JSON_UNICODE';

/** Text that is not the JSON which {@link parseJson} takes; `details.offset` is the UTF-16 index of the fault. */
export class JsonError extends HoldfastError<JsonErrorCode> {}
