import type { Duplex } from 'node:stream';
import type { ControlResponse, ControlRequest } from '../../shared/protocol/control.ts';
import type { EgressErrorCode, EgressOpen } from '../../shared/protocol/egress.ts';

/** Reply of bytes sent as they are, be they a frame or not; with `hangUp` the connection then ends. */
export interface RawReply {
  readonly raw: Uint8Array;
  readonly hangUp?: boolean;
}

/** Request of the enclave, as a script sees it. */
export interface ControlExchange {
  readonly request: ControlRequest;
  /** Number of the request among those of all connections, and of the connection, from 0. */
  readonly index: number;
  readonly connection: number;
  /**
   * Asks the real parent for its response to this request or to another; without a call the real parent is not asked.
   */
  readonly honest: (request?: ControlRequest) => Promise<ControlResponse>;
}

/**
 * Reply that the enclave gets instead: a response, several (repeated, reordered, swapped), raw bytes, nothing while the
 * connection stays, or the end of the connection. A script that wants a delay waits before returning.
 */
export type ControlReply = ControlResponse | readonly ControlResponse[] | RawReply | 'hang-up' | 'silence';
export type ControlScript = (exchange: ControlExchange) => ControlReply | Promise<ControlReply>;

/** Connection that the enclave wants opened, as a script sees it. */
export interface EgressExchange {
  readonly open: EgressOpen;
  readonly index: number;
  /** Opens the connection by the real parent, there or to another target of its list. @throws EgressError */
  readonly honest: (open?: EgressOpen) => Promise<Duplex>;
}

/**
 * Connection that the enclave gets instead: any duplex after an `ok`, a refusal, raw bytes, nothing, or the end of the
 * connection. A script that changes what flows returns its own duplex and moves the bytes itself.
 */
export type EgressReply = Duplex | RawReply | { readonly refuse: EgressErrorCode } | 'hang-up' | 'silence';
export type EgressScript = (exchange: EgressExchange) => EgressReply | Promise<EgressReply>;

/** Script between a client and the enclave: gets the stream to the enclave, returns the one that the client gets. */
export type IngressScript = (enclave: Duplex) => Duplex | Promise<Duplex>;

/** Scripts of a hostile parent; messages without a script are handled honestly. */
export interface HostileScripts {
  readonly onControl?: ControlScript;
  readonly onEgress?: EgressScript;
  readonly onIngress?: IngressScript;
}
