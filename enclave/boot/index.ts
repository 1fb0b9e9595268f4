export { bootNode } from './boot.ts';
export type { Platform } from './platform.ts';
