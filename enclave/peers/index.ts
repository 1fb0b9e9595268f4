export type { PeerBinding } from './binding.ts';
export { PeerError } from './errors.ts';
export { type OpenPeerNetwork, openPeerNetwork } from './open-network.ts';
export { openParentCarrier } from './parent-carrier.ts';
export type { CallOptions, PeerHandler, PeerIdentity, PeerNetwork, PeerStatus } from './peer-network.ts';
