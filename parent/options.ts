import type { Transport } from '../shared/transport/transport.ts';
import type { ControlSources } from './control/sources.ts';
import type { LookUp } from './egress/dial.ts';
import type { EgressTarget } from './egress/targets.ts';
import type { SupervisorState } from './lifecycle/supervisor.ts';
import type { Log } from './log.ts';
import type { StatusAddress } from './status/server.ts';

export interface EgressOptions {
  /** What the enclave may reach; nothing else. */
  readonly targets: readonly EgressTarget[];
  /** vsock ports of which each leads to one of the targets, without frames: for programs that cannot name it. */
  readonly ports?: readonly { readonly listen: number; readonly host: string; readonly port: number }[];
  /** The system's DNS servers when left out. */
  readonly lookUp?: LookUp;
  /** Milliseconds; 10,000, 300,000 and a day when left out. */
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly lifetimeMs?: number;
  /** 1,024, 1,024 and 5,000 when left out. */
  readonly maxConnections?: number;
  readonly maxWaiting?: number;
  readonly waitMs?: number;
  /**
   * Connections that have not said where to; 1,024 when left out, as many as a burst may bring before the first of them
   * is read.
   */
  readonly maxUnnamed?: number;
}

export interface IngressOptions {
  /** `127.0.0.1` when left out. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** 4,096 in all and 256 from one address when left out. */
  readonly maxConnections?: number;
  readonly maxPerSource?: number;
  /** Clients come through a load balancer that puts a PROXY protocol v2 header first; others are cut. */
  readonly proxyProtocol?: boolean;
  /** Milliseconds in which a client has to send its first byte; 10,000 when left out. */
  readonly firstByteTimeoutMs?: number;
  /** Milliseconds; 5,000, 300,000 and a day when left out. */
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly lifetimeMs?: number;
}

/** What the status page and the metrics show beside the parent's own parts. */
export interface StatusSources {
  readonly enclave?: () => SupervisorState;
  /** Milliseconds since 1970. */
  readonly credentialsExpiration?: () => number | null;
}

export interface ParentOptions extends Omit<ControlSources, 'onStatus'> {
  readonly transport: Transport;
  /** The CID of the one enclave that is served. */
  readonly enclaveCid: number;
  readonly egress: EgressOptions;
  /** No clients are let in when left out. */
  readonly ingress?: IngressOptions;
  /** Where the status page listens; there is none when left out. */
  readonly status?: StatusAddress;
  readonly statusSources?: StatusSources;
  readonly log?: Log;
}
