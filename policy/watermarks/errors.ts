import { HoldfastError } from '../../shared/errors.ts';

/** Why a consensus payload is not signed, or the watermarks of a node cannot be restored. */
export type WatermarkErrorCode =
  /** The key has signed for a later level, round or step of this chain. */
  | 'WATERMARK_TOO_LOW'
  /** The key has signed something else for this level and round. */
  | 'WATERMARK_CONFLICT'
  /** The node keeps as many watermarks as it may. */
  | 'WATERMARK_LIMIT'
  /** A sealed watermark is not one of this format. */
  | 'WATERMARK_UNREADABLE';

export class WatermarkError extends HoldfastError<WatermarkErrorCode> {}
