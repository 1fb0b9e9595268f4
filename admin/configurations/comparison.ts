import { compareConfigurations, type ConfigurationChange } from '../../policy/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { AdminError } from '../errors.ts';

/** What a configuration changes of the one in force. */
export interface Comparison {
  /** Of the one in force. */
  readonly version: number;
  /** Whether enough authorities are known to have signed the one in force. */
  readonly isVerified: boolean;
  readonly changes: readonly ConfigurationChange[];
}

/** @throws AdminError VERSION_NOT_NEWER: the node would refuse it */
export function compareWithInForce(
  next: Configuration,
  inForce: Configuration,
  isVerified: boolean,
): Comparison {
  const { version } = inForce;
  if (next.version <= version) {
    throw new AdminError('VERSION_NOT_NEWER', 'the version is not above the one in force', {
      inForce: version,
      actual: next.version,
    });
  }
  return { version, isVerified, changes: compareConfigurations(inForce, next) };
}

/**
 * Refuses a change that nobody was asked about where it grants something: unasked, permissions may be taken away alone.
 * @throws AdminError DECLINED
 */
export function assertGrantsNothing(comparison: Comparison | undefined): void {
  const granted = comparison?.changes.filter(({ grants }) => grants) ?? [];
  if (granted.length === 0) return;
  throw new AdminError(
    'DECLINED',
    'it grants more than the configuration in force, and there was nobody to ask (no terminal)',
    { grants: granted.map(({ subject, id, text }) => `${subject} ${id}: ${text}`) },
  );
}
