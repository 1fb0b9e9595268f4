export { EmulatedNsm } from './emulated-nsm.ts';
export { extendOnce } from './pcrs.ts';
export { NitroRoot } from './root.ts';
