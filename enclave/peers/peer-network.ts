import type { PeerRefusalCode } from './errors.ts';

/** What another node of the quorum has proved of itself in the session that stands. */
export interface PeerIdentity {
  /** Number of the node in the quorum. */
  readonly node: number;
  /** SHA-384 of its manifest, which its document measures and this node's configuration names. */
  readonly manifest: Uint8Array;
  /** Session of its boot, in hex: 16 random bytes. Requests of clients are signed for it. */
  readonly session: string;
  /** The version of its configuration, and the SHA-384 of the configuration in hex. */
  readonly configuration: { readonly version: number; readonly digest: string };
  /** Ed25519 key that verifies its receipts and its messages of ceremonies. It outlives restarts. */
  readonly receiptKey: Uint8Array;
  /** The attestation document that vouches for all of that. */
  readonly document: Uint8Array;
}

/** How things stand with one peer, for people. */
export interface PeerStatus {
  readonly node: number;
  /** `refused`: the last attempt ended with `code`; `connecting`: there was none, or it got no answer. */
  readonly state: 'connected' | 'connecting' | 'refused';
  /** Why there is no session, or why the last one ended; null where neither has happened. */
  readonly code: PeerRefusalCode | null;
  /** The code with which the other node has refused this one, where it has said so. */
  readonly theirCode: string | null;
  /** Milliseconds since 1970 at which the state began. */
  readonly since: number;
  /** Milliseconds since 1970 of the last authentic message; null before the first. */
  readonly lastSeen: number | null;
  /** What it has proved, while a session stands: an older configuration is to be seen here. */
  readonly identity: PeerIdentity | null;
}

export interface CallOptions {
  /** Milliseconds until the call is given up. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Answers a call of another node. A thrown HoldfastError reaches the caller as its code, nothing else of it does. */
export type PeerHandler = (from: PeerIdentity, body: Uint8Array) => Promise<Uint8Array>;

/**
 * The other nodes, each reached through a channel on which both have proved to be enclaves of this quorum. A call is
 * carried out at most once; one that ends without an answer may have been carried out or not, so that whoever repeats it
 * makes it harmless to repeat. Calls to one node arrive in the order in which they were made, and are answered in any.
 */
export interface PeerNetwork {
  /** Number of the node itself. */
  readonly self: number;
  /** Numbers of the other nodes that the configuration names, ascending. */
  readonly peers: readonly number[];
  /** The identity of a node while a session with it stands. */
  identity(node: number): PeerIdentity | undefined;
  /**
   * Calls a node.
   *
   * @param kind names the handler: `sign`, `ceremony/round-1`
   * @param body at most MAX_PEER_BODY_BYTES
   * @throws PeerError PEER_UNKNOWN, PEER_UNREACHABLE (it may have been carried out), PEER_REFUSED with the other node's
   * code in `details.code`, PEER_OVERLOADED (nothing was sent), PEER_CLOSED
   */
  call(node: number, kind: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Has calls of one kind answered; a kind has one handler. */
  serve(kind: string, handler: PeerHandler): void;
  /**
   * Tells of each session that begins: with a node that has restarted, or is reachable again. Keys that are renewed on the
   * way are no new session.
   */
  onSession(listener: (identity: PeerIdentity) => void): void;
  /** How things stand with each peer, in the order of `peers`. */
  status(): readonly PeerStatus[];
}

/** Longest body of a call or an answer, in bytes. */
export const MAX_PEER_BODY_BYTES = 512 * 1024;
