import { ColdError } from '../shared/cold/index.ts';
import type { Configuration } from '../shared/documents/configuration.ts';

/**
 * Asserts that a configuration asks for nothing that a machine without a network lacks.
 *
 * @throws ColdError COLD_CONFIGURATION_UNFIT
 */
export function assertFit({ witnesses, quorum, pools, rules, keys }: Configuration): void {
  if (witnesses !== null) throw unfit('witnesses', 'nobody outside can witness the log of a cold node');
  if (quorum !== undefined) throw unfit('quorum', 'a cold node reaches no other nodes');
  if (pools !== undefined && pools.length > 0)
    throw unfit('pools', 'keys of pools are made by clients over a network');
  const limited = rules.find((rule) => rule.effect === 'permit' && rule.rate !== null);
  if (limited !== undefined) {
    throw unfit(
      'rules',
      'a limit by rate begins anew at each start, and a cold node starts for each request',
      {
        rule: limited.id,
      },
    );
  }
  const shared = keys.find(({ type }) => type.startsWith('frost-'));
  if (shared !== undefined) throw unfit('keys', 'a share signs with other nodes alone', { key: shared.id });
}

function unfit(member: string, message: string, details: Record<string, unknown> = {}): ColdError {
  return new ColdError('COLD_CONFIGURATION_UNFIT', message, { member, ...details });
}
