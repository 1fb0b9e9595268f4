export { type HeldKey, isSoleKeyType, type SoleKeyType } from './held-key.ts';
export { generateKey, restoreKey } from './keys.ts';
