export { WatermarkError, type WatermarkErrorCode } from './errors.ts';
export type { WatermarkRefusal, WatermarkVerdict } from './watermark.ts';
export { MAX_WATERMARKS, type WatermarkRecord, Watermarks } from './watermarks.ts';
