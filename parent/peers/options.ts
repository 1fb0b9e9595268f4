import type { NatsOptions } from './nats/options.ts';

/** Another node of the quorum, as the parent reaches its parent. */
export interface PeerAddress {
  /** Number of the node, as in its manifest. */
  readonly node: number;
  /** TCP address of its parent; left out for a parent that dials this one, and with NATS. */
  readonly address?: { readonly host: string; readonly port: number };
  /** Name in its parent's certificate; the host of `address` when left out. Used with `tls` alone. */
  readonly name?: string;
}

/** Paths of PEM files. They are read anew when they change. */
export interface CertificateFiles {
  /** Authorities that may vouch for the other end; no others are believed. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Address to listen on (a free port for 0), or a listening socket that is open already. */
export type PeerListen = { readonly host?: string; readonly port: number } | { readonly descriptor: number };

/** Times in milliseconds and maxima of direct connections. */
export interface DirectLimits {
  readonly connectTimeoutMs: number;
  /** Deadline for TLS and the greeting of a connection that was accepted. */
  readonly greetingTimeoutMs: number;
  /** Pause after which a connection that sends nothing sends a ping. */
  readonly keepaliveMs: number;
  /** Silence after which a connection is cut. */
  readonly idleTimeoutMs: number;
  /** Deadline for one frame to be taken by the kernel. */
  readonly writeTimeoutMs: number;
  /** First and longest pause between two attempts to connect. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** Options of the carrier of datagrams between nodes. */
export interface PeersOptions {
  /** Number of the node that this parent serves. */
  readonly node: number;
  /** All other nodes. */
  readonly nodes: readonly PeerAddress[];
  /** Address for the parents of other nodes; none can connect when left out. Not used with `nats`. */
  readonly listen?: PeerListen;
  /** Certificates of direct connections; they are neither encrypted nor authenticated when left out. */
  readonly tls?: CertificateFiles;
  /** Limits other than the usual ones. */
  readonly limits?: Partial<DirectLimits>;
  /** NATS in place of direct connections. */
  readonly nats?: NatsOptions;
}
