export { leaveExitReason } from './exit-reason.ts';
export { openNitroPlatform } from './nitro-platform.ts';
