import { HoldfastError } from '../errors.ts';

export type FrameErrorCode =
  /** The body is not strict CBOR, nests too deep or is no map; see `cause`. */
  | 'FRAME_BODY_MALFORMED'
  /** The caller's signal was aborted. */
  | 'FRAME_ABORTED'
  /** The stream ended where a frame could have begun. */
  | 'FRAME_END'
  /** The body is strict CBOR and does not match the schema that the reader expects. */
  | 'FRAME_SCHEMA_MISMATCH'
  /** The stream broke. */
  | 'FRAME_STREAM_FAILED'
  | 'FRAME_TIMEOUT'
  | 'FRAME_TOO_LARGE'
  /** Too short to hold a version and a body. */
  | 'FRAME_TOO_SHORT'
  /** The stream ended within a frame. */
  | 'FRAME_TRUNCATED'
  | 'FRAME_VERSION_UNKNOWN';

export class FrameError extends HoldfastError<FrameErrorCode> {}
