import type { PeerEnclaveFrame } from '../../shared/protocol/peers.ts';

/** Way of datagrams to and from other nodes: it may lose, repeat, reorder, alter and invent them. */
export interface Carrier {
  /** Sends a datagram of at most 65,535 bytes, or loses it. */
  send(to: number, datagram: Uint8Array): void;
  /** Calls the one listener with what has come; nobody has verified `from`. */
  onDatagram(listener: (from: number, datagram: Uint8Array) => void): void;
  /** Shows people how things stand with the peers. */
  report(peers: Extract<PeerEnclaveFrame, { type: 'status' }>['peers']): void;
  close(): void;
}
