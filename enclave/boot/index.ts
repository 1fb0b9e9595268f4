export { bootNode, type RunningNode } from './boot.ts';
export { BootError } from './errors.ts';
export type { Platform } from './platform.ts';
