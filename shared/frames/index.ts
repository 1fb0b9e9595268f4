export { FrameError, type FrameErrorCode } from './errors.ts';
export { MAX_FRAME_BYTES, encodeFrame } from './frame-codec.ts';
export { FrameStream, type FrameDeadline } from './frame-stream.ts';
