import type { PeerLinkErrorCode } from './errors.ts';
import type { PeerAddress } from './options.ts';

/** Reasons why a datagram, or a connection, came to nothing. Labels of metrics; docs/parent-metrics.md explains each. */
export type DropReason =
  /** The enclave is not connected, or did not take it in time. */
  | 'ENCLAVE_AWAY'
  /** More waited than may: the oldest were dropped. */
  | 'QUEUE_FULL'
  /** The datagram waited longer than anybody waits for it. */
  | 'STALE'
  /** NATS has not acknowledged it. */
  | 'NOT_ACKNOWLEDGED';

/** Outcome of an attempt to reach, or of a connection of, another node's parent. */
export type ConnectOutcome = PeerLinkErrorCode | 'ok';

/** Why a connection that stood has ended. */
export type EndReason =
  | 'BROKEN'
  | 'CERTIFICATES_CHANGED'
  | 'CLOSED_BY_PEER'
  | 'FRAME_REFUSED'
  | 'IDLE'
  | 'REPLACED'
  | 'STOPPED'
  | 'WRITE_TIMEOUT';

/** What an operator sees of the way to one node. */
export interface PeerStatus {
  readonly node: number;
  readonly isConnected: boolean;
  /** Milliseconds since 1970 of the last datagram that came from there; null before the first. */
  readonly heardAt: number | null;
  /** Outcome of the last attempt to connect; null before the first. */
  readonly outcome: ConnectOutcome | null;
}

/** Takes a datagram for the enclave. True once its connection has taken it; false where it was dropped. */
export type Deliver = (from: number, bytes: Uint8Array) => Promise<boolean>;

/** Carries datagrams to the parents of other nodes, and from them. */
export interface Carrier {
  /** Nodes that it knows, ascending. */
  readonly status: readonly PeerStatus[];
  /** Sends a datagram to a node. Never waits and never throws; false where the node is unknown. */
  send(to: number, bytes: Uint8Array): boolean;
  /** Puts other nodes in force. */
  setNodes(nodes: readonly PeerAddress[]): void;
  /** Says whether the enclave is connected; datagrams for it may wait elsewhere while it is not. */
  setEnclave(isConnected: boolean): void;
  close(): Promise<void>;
}
