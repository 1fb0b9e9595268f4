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
 * Asserts that a configuration may be signed though nobody was asked: it may take permissions away of the one in force. It
 * may give none, and drop no key, which nothing brings back. One that is compared with none gives all that it permits.
 *
 * @throws AdminError DECLINED
 */
export function assertNobodyNeedsToAgree(
  { drop = [] }: Pick<Configuration, 'drop'>,
  comparison: Comparison | undefined,
): void {
  const nameOf = ({ id, type }: (typeof drop)[number]) => `${type} ${id}`;
  if (comparison === undefined)
    throw new AdminError(
      'DECLINED',
      'all that it permits is new where it is compared with none, and there was nobody to ask (no terminal)',
      { grants: [], drops: drop.map(nameOf) },
    );
  const { changes } = comparison;
  const grants = changes
    .filter(({ grants: isGrant }) => isGrant)
    .map(({ subject, id, text }) => `${subject} ${id}: ${text}`);
  const isNew = (id: string) =>
    changes.some((change) => change.subject === 'drop' && change.kind !== 'removed' && change.id === id);
  const drops = drop.filter(({ id }) => isNew(id)).map(nameOf);
  if (grants.length === 0 && drops.length === 0) return;
  const what = grants.length > 0 ? 'grants more than the configuration in force' : 'drops keys for good';
  throw new AdminError('DECLINED', `it ${what}, and there was nobody to ask (no terminal)`, {
    grants,
    drops,
  });
}
