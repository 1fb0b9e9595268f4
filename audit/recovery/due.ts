import { BackupAuditError } from './errors.ts';
import type { Drill } from './drill.ts';

/** A vault whose drills count: its names, and the recovery keys that its manifests name. */
export interface DrillVault {
  readonly namespace: string;
  readonly environment: string;
  readonly recoveryKeys: readonly string[];
}

/** When each key was last proven, in milliseconds since 1970; null for never. */
export interface LastProof {
  readonly key: string;
  readonly last: number | null;
}

/**
 * Finds when a drill has last proven each key. Whoever leads drills may lead those of several vaults: the record of another
 * one is refused; one of a recovery key that the manifests name no more, or of the future, does not count.
 *
 * @param drills records that were verified
 * @param keys ids of the keys that have to be proven; none: any key of the vault
 * @param now milliseconds since 1970
 * @returns one for each key; of any key, one under the vault's name
 * @throws BackupAuditError DRILL_OTHER_VAULT
 */
export function findLastProofs(
  drills: readonly Drill[],
  { namespace, environment, recoveryKeys }: DrillVault,
  keys: readonly string[],
  now: number,
): readonly LastProof[] {
  const name = `${namespace}/${environment}`;
  for (const { vault } of drills) {
    const actual = `${vault.namespace}/${vault.environment}`;
    if (actual !== name)
      throw new BackupAuditError('DRILL_OTHER_VAULT', 'the record is of a drill of another vault', {
        expected: name,
        actual,
      });
  }
  const held = drills.filter(
    ({ recoveryKey, time }) => recoveryKeys.includes(recoveryKey) && Date.parse(time) <= now,
  );
  const latest = (found: readonly Drill[]) =>
    found.reduce<number | null>((last, { time }) => Math.max(last ?? 0, Date.parse(time)), null);
  if (keys.length === 0) return [{ key: name, last: latest(held) }];
  return keys.map((key) => ({
    key,
    last: latest(held.filter(({ proven }) => proven.some((one) => one.key === key))),
  }));
}
