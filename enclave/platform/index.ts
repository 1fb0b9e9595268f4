export { openNitroPlatform } from './nitro-platform.ts';
export { runEnclave } from './run.ts';
