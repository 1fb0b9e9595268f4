import type { Transport } from '../shared/transport/transport.ts';
import type { ControlSources } from './control/sources.ts';
import type { LookUp } from './egress/dial.ts';
import type { EgressTarget } from './egress/targets.ts';
import type { SupervisorState } from './lifecycle/supervisor.ts';
import type { Log } from './log.ts';
import type { StatusAddress } from './status/server.ts';

export interface EgressOptions {
  /** Targets that the enclave may reach; no others. */
  readonly targets: readonly EgressTarget[];
  /** vsock ports that lead to one target each, without frames: for programs that cannot name a target. */
  readonly ports?: readonly { readonly listen: number; readonly host: string; readonly port: number }[];
  /** Look-up of names; the system's DNS servers when left out. */
  readonly lookUp?: LookUp;
  /** Deadlines in milliseconds; 10,000, 300,000 and a day when left out. */
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly lifetimeMs?: number;
  /** Caps of connections and of the queue, and milliseconds in the queue; 1,024, 1,024 and 5,000 when left out. */
  readonly maxConnections?: number;
  readonly maxWaiting?: number;
  readonly waitMs?: number;
  /**
   * Maximum of connections whose first frame has not come; 1,024 when left out, as many as a burst may bring before the
   * first of them is read.
   */
  readonly maxUnnamed?: number;
}

export interface IngressOptions {
  /** Address to listen on; `127.0.0.1` when left out. */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Maximum of connections in all and from one address; 4,096 and 256 when left out. */
  readonly maxConnections?: number;
  readonly maxPerSource?: number;
  /**
   * Clients come through a load balancer that puts a PROXY protocol v2 header first; connections without one are cut.
   */
  readonly proxyProtocol?: boolean;
  /** Milliseconds in which a client has to send its first byte; 10,000 when left out. */
  readonly firstByteTimeoutMs?: number;
  /** Deadlines in milliseconds; 5,000, 300,000 and a day when left out. */
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly lifetimeMs?: number;
}

/** Sources of the status page and the metrics beside the parent's own parts. */
export interface StatusSources {
  readonly enclave?: () => SupervisorState;
  /** Expiry of the credentials, milliseconds since 1970; null for none. */
  readonly credentialsExpiration?: () => number | null;
}

export interface ParentOptions extends Omit<ControlSources, 'onStatus'> {
  readonly transport: Transport;
  /** CID of the one enclave that is served. */
  readonly enclaveCid: number;
  readonly egress: EgressOptions;
  /** Options of the way in for clients; no clients are let in when left out. */
  readonly ingress?: IngressOptions;
  /** Address of the status page; there is no page when left out. */
  readonly status?: StatusAddress;
  readonly statusSources?: StatusSources;
  readonly log?: Log;
}
