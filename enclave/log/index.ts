export type { Appended } from './batch.ts';
export { AppendError } from './errors.ts';
export { type StateSource, TransparencyLog, type TransparencyLogOptions } from './transparency-log.ts';
export { appendBootEntry, type BootLeaf } from './boot-leaf.ts';
export { awaitWitnesses } from './await-witnesses.ts';
export { readPeerWitnesses } from './witness-group.ts';
