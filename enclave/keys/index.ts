export { KeyError, type KeyErrorCode } from './errors.ts';
export {
  type HeldKey,
  isSoleKeyType,
  type KeySignature,
  parsePayload,
  type PayloadBytes,
  type SigningRequest,
  type SoleKeyType,
} from './held-key.ts';
export { type Curves } from './curves.ts';
export { generateKey, restoreKey } from './keys.ts';
export { createNativeCurves } from './native-curves.ts';
