import { HoldfastError } from '../../shared/errors.ts';

/** Reasons for which a node does not start. Each is final: the process ends, and its parent shows the code. */
export type BootErrorCode =
  /** The kernel's random numbers do not come from the NSM. */
  | 'ENTROPY_UNTRUSTED'
  /** The host's clock is off the NSM's by more than the bound. */
  | 'CLOCK_DRIFT'
  /** PCR0, PCR1 or PCR2 is zero: a debug enclave, whose memory the parent can read. */
  | 'DEBUG_ENCLAVE'
  /** Core dumps are not off. */
  | 'CORE_DUMPS_ENABLED'
  /** PCR16 was extended or locked before this node measured its manifest. */
  | 'MANIFEST_PCR_USED'
  | 'MANIFEST_PCR_MISMATCH'
  /** The `notAfter` of the configuration has passed. */
  | 'CONFIGURATION_EXPIRED'
  /** A newer configuration was in force on this store before. */
  | 'CONFIGURATION_ROLLED_BACK'
  /** The same version of the configuration was in force before, with other bytes. */
  | 'CONFIGURATION_CONFLICT'
  /** The store is empty and no signed configuration orders to start one. */
  | 'INITIALISATION_NOT_ORDERED'
  | 'INITIALISATION_EXPIRED'
  /** The store was started by another order. */
  | 'INITIALISATION_REPEATED'
  /** The store exists and the password's ciphertext does not. */
  | 'PASSWORD_MISSING'
  /** The password has fewer than 32 or more than 1,024 bytes. */
  | 'PASSWORD_LENGTH'
  /** The configuration names a key that the store does not hold. */
  | 'KEY_MISSING'
  /** The store holds another key under the id of a key that the configuration names. */
  | 'KEY_MISMATCH';

export class BootError extends HoldfastError<BootErrorCode> {}
