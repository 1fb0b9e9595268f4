export { type LaunchOptions, type LocalEnclave, NitroHost } from './nitro-host.ts';
export { copyProgram, type Program } from './program.ts';
