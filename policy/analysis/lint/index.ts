import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { lintConsent } from './consent.ts';
import { lintExpiry } from './expiry.ts';
import type { ConfigurationFinding, Severity } from './finding.ts';
import { lintPasskeys } from './people.ts';
import { lintPermissions } from './permissions.ts';
import { lintPools } from './pools.ts';
import { lintQuorum } from './quorum.ts';
import { lintRecovery } from './recovery.ts';
import { lintDenied, lintReach } from './reach.ts';
import { lintWatermarks } from './watermarks.ts';
import { lintWitnesses } from './witnesses.ts';

export type { ConfigurationFinding } from './finding.ts';

const ORDER: readonly Severity[] = ['error', 'warning', 'note'];

/**
 * Lints a configuration for those who sign it: errors first. Nothing found does not mean that nothing is wrong.
 *
 * @param now milliseconds since 1970
 * @param size nodes of the quorum and how many of them sign, as the manifest says; left out: not compared
 */
export function lintConfiguration(
  configuration: Configuration,
  now: number,
  size?: Manifest['quorum'],
): ConfigurationFinding[] {
  return [
    ...lintReach(configuration),
    ...lintDenied(configuration),
    ...lintConsent(configuration),
    ...lintPermissions(configuration),
    ...lintWatermarks(configuration),
    ...lintExpiry(configuration, now),
    ...lintWitnesses(configuration),
    ...lintPasskeys(configuration),
    ...lintQuorum(configuration, now, size),
    ...lintPools(configuration),
    ...lintRecovery(configuration),
  ].toSorted((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
}
