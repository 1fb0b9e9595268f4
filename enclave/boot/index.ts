export { bootNode, type BootObserver } from './boot.ts';
export type { Platform } from '../node/platform.ts';
