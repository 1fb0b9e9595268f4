import type { Configuration, SignedConfiguration } from '../../shared/documents/configuration.ts';
import { BootError } from './errors.ts';

/** State in a sealed store about the nodes that have opened it. */
export interface SealedState {
  /** Number of times that a node has opened the store. */
  readonly boots: number;
  /** The newest configuration that was in force; version 0 before the first. */
  readonly configuration: { readonly version: number; readonly digest: Uint8Array };
}

/** A configuration that may come into force, and the state to seal with it. */
export interface AdmittedConfiguration {
  /** True for a version that was never in force before: keys that it names for the first time are made. */
  readonly isNewer: boolean;
  /** The state to seal with the next commit. */
  readonly state: SealedState;
}

/**
 * Tells whether a configuration has expired; a `notAfter` that is no date counts as past.
 *
 * @param now milliseconds since 1970
 */
export function hasExpired({ notAfter }: Pick<Configuration, 'notAfter'>, now: number): boolean {
  return notAfter !== undefined && !(now <= Date.parse(notAfter));
}

/** Asserts that a configuration has not expired. @throws BootError CONFIGURATION_EXPIRED */
export function assertCurrent(configuration: Configuration, now: number): void {
  if (hasExpired(configuration, now)) {
    throw new BootError('CONFIGURATION_EXPIRED', 'the configuration has expired', {
      notAfter: configuration.notAfter,
    });
  }
}

/**
 * Checks a verified configuration against the newest one that the store has seen. The same version must have the same
 * bytes; an older version is a rollback.
 *
 * @throws BootError CONFIGURATION_ROLLED_BACK, CONFIGURATION_CONFLICT
 */
export function admitConfiguration(
  sealed: SealedState,
  { configuration: { version }, digest }: SignedConfiguration,
): AdmittedConfiguration {
  const known = sealed.configuration;
  if (version < known.version) {
    throw new BootError(
      'CONFIGURATION_ROLLED_BACK',
      'the configuration is older than one that was in force before',
      {
        expected: known.version,
        actual: version,
      },
    );
  }
  if (version === known.version && Buffer.compare(digest, known.digest) !== 0) {
    throw new BootError(
      'CONFIGURATION_CONFLICT',
      'this version of the configuration was in force before with other bytes',
      {
        version,
      },
    );
  }
  return {
    isNewer: version > known.version,
    state: { boots: sealed.boots + 1, configuration: { version, digest } },
  };
}
