export { CertificateRelay } from './certificate-relay.ts';
export { type NodeQuorumOptions, startNodeQuorum } from './node-quorum.ts';
export { QuorumError, type QuorumErrorCode } from './errors.ts';
export { type CeremonyOrder, ORDER_TARGET, readOrder } from './order.ts';
export { type BegunCeremony, type ClientRequest, type Quorum } from './quorum.ts';
export { createMayServe, type MayServe } from './reach.ts';
