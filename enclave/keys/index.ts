export { type Curves } from './curves.ts';
export {
  type EncryptionContext,
  type HeldKey,
  isSoleKeyType,
  type SigningKey,
  type SoleKeyType,
} from './held-key.ts';
export { generateKey, generatePoolKey, restoreKey, restorePoolKey } from './keys.ts';
export { createNativeCurves } from './native-curves.ts';
export { parseSerialisedSecret } from './serialised-key.ts';
