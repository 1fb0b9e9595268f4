export { type Decided, decideColdRequest } from './decide.ts';
export { type ColdNode, type ColdNodeOptions, fingerprintIdentity, openColdNode } from './node.ts';
export { MIN_PASSPHRASE_BYTES, PASSPHRASE_COST, type PassphraseCost } from './passphrase.ts';
