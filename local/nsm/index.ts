export { EmulatedNsm } from './emulated-nsm.ts';
export { extendOnce } from './pcrs.ts';
export { type EnclaveChain, NitroRoot } from './root.ts';
