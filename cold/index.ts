export { type Decided, decideColdRequest } from './decide.ts';
export { type ColdNode, type ColdNodeOptions, fingerprintIdentity, openColdNode } from './node.ts';
export type { PassphraseCost } from './passphrase.ts';
