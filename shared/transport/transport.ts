import type { Duplex } from 'node:stream';

/** An AF_VSOCK address, see vsock(7). Both numbers are unsigned 32-bit integers. */
export interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

export interface ConnectOptions {
  /** Milliseconds until the attempt fails with `CONNECT_TIMEOUT`. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A connection that was accepted, and the address that the kernel (not the peer) gave for its other end. */
export interface Accepted {
  readonly stream: Duplex;
  readonly peer: VsockAddress;
}

export interface Listener {
  readonly address: VsockAddress;
  /** Stops accepting and destroys what is still open. */
  close(): Promise<void>;
}

/**
 * Byte streams between (cid, port) addresses: AF_VSOCK on a Nitro host, Unix sockets on a laptop. Streams are Node
 * duplexes with half-close (`allowHalfOpen`) and backpressure.
 */
export interface Transport {
  /** This end's own context id. */
  readonly cid: number;
  /**
   * Connects to an address. @throws TransportError CONNECT_REFUSED, CONNECT_TIMEOUT, CONNECT_ABORTED, CONNECT_FAILED
   */
  connect(to: VsockAddress, options: ConnectOptions): Promise<Duplex>;
  /** Listens on a port of this end. @throws TransportError ADDRESS_IN_USE, LISTEN_FAILED */
  listen(port: number, accept: (accepted: Accepted) => void): Promise<Listener>;
}
