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
