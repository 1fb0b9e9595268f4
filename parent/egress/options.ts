import type { LookUp } from './dial.ts';
import type { EgressTarget } from './targets.ts';

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
