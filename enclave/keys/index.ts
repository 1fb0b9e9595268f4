export { type Curves } from './curves.ts';
export { type HeldKey, isSoleKeyType, type SoleKeyType } from './held-key.ts';
export { generateKey, restoreKey } from './keys.ts';
export { createNativeCurves } from './native-curves.ts';
