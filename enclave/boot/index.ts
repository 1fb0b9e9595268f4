export { bootNode } from './boot.ts';
export type { Platform } from '../node/platform.ts';
