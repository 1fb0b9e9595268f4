import type { Transport } from '../../shared/transport/transport.ts';
import type { Curves } from '../keys/index.ts';
import type { NsmDevice } from '../nsm/index.ts';

/**
 * What a node stands on. The production entry hands in /dev/nsm, AF_VSOCK and the roots of Amazon and nothing else can
 * be chosen there; stand-ins come from an entry that is not part of any image.
 */
export interface Platform {
  readonly nsm: NsmDevice;
  readonly transport: Transport;
  /** The arithmetic of the keys that sign. */
  readonly curves: Curves;
  /** PEM of the authorities that may speak for KMS. */
  readonly kmsRoots: readonly string[];
  /** The system's clock, milliseconds since 1970. */
  readonly systemClock: () => number;
  /**
   * Sees that the kernel's entropy comes from the NSM and that nothing dumps the memory.
   * @throws BootError ENTROPY_UNTRUSTED, CORE_DUMPS_ENABLED
   */
  readonly checkHost: () => Promise<void>;
}
