import type { Configuration, SignedConfiguration } from '../../shared/documents/configuration.ts';
import { BootError } from './errors.ts';

/** What a sealed store remembers of the nodes that opened it. */
export interface SealedState {
  /** How often a node has opened the store. */
  readonly boots: number;
  /** The newest configuration that was in force; version 0 before the first. */
  readonly configuration: { readonly version: number; readonly digest: Uint8Array };
}

/** What a configuration that may come into force brings with it. */
export interface AdmittedConfiguration {
  /** It was never in force before: keys that it names for the first time are made. */
  readonly isNewer: boolean;
  /** What to seal with the next write. */
  readonly state: SealedState;
}

/**
 * Whether the configuration's time is over; one whose end cannot be read is over.
 *
 * @param now milliseconds since 1970
 */
export function hasExpired({ notAfter }: Pick<Configuration, 'notAfter'>, now: number): boolean {
  return notAfter !== undefined && !(now <= Date.parse(notAfter));
}

/** @throws BootError CONFIGURATION_EXPIRED */
export function assertCurrent(configuration: Configuration, now: number): void {
  if (hasExpired(configuration, now)) {
    throw new BootError('CONFIGURATION_EXPIRED', 'the time of this configuration is over', {
      notAfter: configuration.notAfter,
    });
  }
}

/**
 * Holds a verified configuration against the newest one that this store has seen. The same version must be the same
 * bytes; an older one is a rollback.
 *
 * @throws BootError CONFIGURATION_ROLLED_BACK, CONFIGURATION_CONFLICT
 */
export function admitConfiguration(
  sealed: SealedState,
  { configuration: { version }, digest }: SignedConfiguration,
): AdmittedConfiguration {
  const known = sealed.configuration;
  if (version < known.version) {
    throw new BootError('CONFIGURATION_ROLLED_BACK', 'a newer configuration was in force before', {
      expected: known.version,
      actual: version,
    });
  }
  if (version === known.version && Buffer.compare(digest, known.digest) !== 0) {
    throw new BootError('CONFIGURATION_CONFLICT', 'this version was in force with another content', {
      version,
    });
  }
  return {
    isNewer: version > known.version,
    state: { boots: sealed.boots + 1, configuration: { version, digest } },
  };
}
