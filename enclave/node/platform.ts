import type { Groups } from '../../shared/frost/groups/group.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import type { Curves } from '../keys/index.ts';
import type { NsmDevice } from '../nsm/index.ts';

/**
 * The devices, clock and trust roots of a node. The production entry hands in /dev/nsm, AF_VSOCK and the roots of
 * Amazon, and nothing else can be chosen there; stand-ins come from an entry that is in no image.
 */
export interface Platform {
  readonly nsm: NsmDevice;
  readonly transport: Transport;
  /** The arithmetic of the keys that sign. */
  readonly curves: Curves;
  /** Certificate in DER at the root of the attestation documents that other nodes prove themselves by. */
  readonly nitroRoot: Uint8Array;
  /** The arithmetic of the groups that shares are made in. */
  readonly groups: Groups;
  /** PEM of the certificate authorities that are trusted for KMS. */
  readonly kmsRoots: readonly string[];
  /** The system's clock, milliseconds since 1970. */
  readonly systemClock: () => number;
  /**
   * Checks that the kernel's entropy comes from the NSM, and closes the memory of the process to core dumps.
   * @throws BootError ENTROPY_UNTRUSTED, CORE_DUMPS_ENABLED
   */
  readonly checkHost: () => Promise<void>;
}
