import type { Duplex } from 'node:stream';

/** An AF_VSOCK address, see vsock(7). Both numbers are unsigned 32-bit integers. */
export interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

/** The parent instance as seen from an enclave on AWS. */
export const PARENT_CID = 3;

/** Ports of the parent (CID 3). */
export const PARENT_PORT = Object.freeze({
  /** Control requests of the enclave: see shared/protocol. */
  control: 7001,
  /** Egress by name: the first frame names the host to connect to. */
  egress: 7002,
  /** The report of init when the enclave's program has ended: see shared/native/exit-report.ts. */
  exit: 7003,
  /** nitro-cli's own heartbeat: the enclave's init sends one byte 0xB7 and awaits it back. */
  heartbeat: 9000,
});

/** Ports of the enclave. */
export const ENCLAVE_PORT = Object.freeze({
  /** The HTTPS interface; TLS ends in the enclave. */
  api: 443,
});

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
