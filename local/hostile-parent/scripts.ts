import type { Duplex } from 'node:stream';
import type { ControlResponse, ControlRequest } from '../../shared/protocol/control.ts';
import type { EgressErrorCode, EgressOpen } from '../../shared/protocol/egress.ts';

/** Bytes sent as they are, be they a frame or not; then the connection is ended where that is asked for. */
export interface RawReply {
  readonly raw: Uint8Array;
  readonly hangUp?: boolean;
}

/** One request of the enclave. */
export interface ControlExchange {
  readonly request: ControlRequest;
  /** Counts the requests of all connections, and the connections, from 0. */
  readonly index: number;
  readonly connection: number;
  /** What the real parent answers, to this request or to another; it is asked only when this is called. */
  readonly honest: (request?: ControlRequest) => Promise<ControlResponse>;
}

/**
 * What the enclave gets instead: an answer, several (repeated, reordered, swapped), raw bytes, nothing while the
 * connection stays, or the end of the connection. Whoever wants a delay waits before returning.
 */
export type ControlReply = ControlResponse | readonly ControlResponse[] | RawReply | 'hang-up' | 'silence';
export type ControlScript = (exchange: ControlExchange) => ControlReply | Promise<ControlReply>;

/** One connection that the enclave wants opened. */
export interface EgressExchange {
  readonly open: EgressOpen;
  readonly index: number;
  /** The connection that the real parent opens, there or to another target of its list. @throws EgressError */
  readonly honest: (open?: EgressOpen) => Promise<Duplex>;
}

/**
 * What the enclave is connected to instead: any duplex after an `ok`, a refusal, raw bytes, nothing, or the end of the
 * connection. A script that changes what flows returns its own duplex and moves the bytes itself.
 */
export type EgressReply = Duplex | RawReply | { readonly refuse: EgressErrorCode } | 'hang-up' | 'silence';
export type EgressScript = (exchange: EgressExchange) => EgressReply | Promise<EgressReply>;

/** Stands between a client and the enclave: gets the stream to the enclave, returns the one that the client gets. */
export type IngressScript = (enclave: Duplex) => Duplex | Promise<Duplex>;

/** What a hostile parent does; what is left out is done honestly. */
export interface HostileScripts {
  readonly onControl?: ControlScript;
  readonly onEgress?: EgressScript;
  readonly onIngress?: IngressScript;
}
