import type { BackupCoverage } from '../../policy/index.ts';
import type { RecoveryStatus } from '../../shared/api/recovery.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { digestShareGroup } from '../../shared/frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import type { PoolKeys } from '../pools/index.ts';
import { listKeepers } from './acknowledgement.ts';
import type { BackupRegister, Keeper } from './register.ts';
import { coverOfShare } from './secrets.ts';

export interface CoverageParts {
  readonly configuration: Pick<Configuration, 'keys' | 'pools' | 'recovery' | 'approvers' | 'approverGroups'>;
  readonly keyring: Pick<Keyring, 'key' | 'shareRecord'>;
  readonly pools: Pick<PoolKeys, 'list'> | undefined;
  readonly register: Pick<BackupRegister, 'list'>;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** Coverage of the keys of a node by backups that a keeper has acknowledged. */
export interface Coverage {
  /** Tells it of a key; of a pool, of one of its keys. */
  of(key: string, poolKey?: string | null): BackupCoverage;
  /** Tells it of everything that the node holds of a key or pool, without any time of grace. */
  describe(key: string): Pick<RecoveryStatus['keys'][number], 'state' | 'kept' | 'formerKeepers'>;
  /** What is wrong with the keys that need a backup; null for nothing. */
  readonly alert: 'BACKUP_MISSING' | 'BACKUP_OUTDATED' | null;
}

/**
 * Creates the judgement by the backups that keepers have acknowledged: those whom this configuration names, by the keys that
 * it names.
 */
export function createCoverage({ configuration, keyring, pools, register, now }: CoverageParts): Coverage {
  const poolIds = new Set((configuration.pools ?? []).map(({ id }) => id));
  const required = configuration.recovery?.required ?? [];
  const named = listKeepers(configuration);
  const isNamed = ({ publicKey }: Keeper) => named.has(publicKey);
  const keptOf = (key: string) => register.list(key).filter(({ keepers }) => keepers.some(isNamed));

  function namesOf(key: string): string[] {
    if (poolIds.has(key)) return (pools?.list(key) ?? []).map(({ id }) => id);
    const publicKey = keyring.key(key)?.publicKey;
    if (publicKey) return [Buffer.from(publicKey).toString('hex')];
    const group = keyring.shareRecord(key)?.current?.group;
    return group === undefined ? [] : [coverOfShare({ epoch: group.epoch, group: digestShareGroup(group) })];
  }

  function isInGrace(key: string): boolean {
    const seconds = configuration.recovery?.graceSeconds ?? 0;
    const record = keyring.shareRecord(key);
    const made = record?.history.find(({ epoch }) => epoch === record.current?.group.epoch);
    return made !== undefined && now() < made.time + seconds * 1000;
  }

  const describe: Coverage['describe'] = (key) => {
    const names = namesOf(key);
    const kept = keptOf(key);
    const covered = new Set(kept.flatMap(({ covers }) => covers));
    const isCovered = names.every((name) => covered.has(name));
    const state = isCovered ? 'kept' : kept.length > 0 ? 'outdated' : 'missing';
    const last = kept.at(-1);
    const former = register.list(key).flatMap(({ keepers }) => keepers.filter((one) => !isNamed(one)));
    return {
      state: names.length === 0 ? 'empty' : state,
      kept: last
        ? { statement: last.statement, time: last.time, keeper: last.keepers.findLast(isNamed)?.id ?? '' }
        : null,
      formerKeepers: [...new Set(former.map(({ id }) => id))],
    };
  };
  return {
    describe,
    of: (key, poolKey) => {
      if (poolKey !== undefined && poolKey !== null)
        return keptOf(key).some(({ covers }) => covers.includes(poolKey)) ? 'kept' : 'missing';
      const { state } = describe(key);
      if (state === 'outdated') return isInGrace(key) ? 'kept' : 'outdated';
      return state === 'kept' ? 'kept' : 'missing';
    },
    get alert() {
      const states = required.map((key) => describe(key).state);
      if (states.includes('missing')) return 'BACKUP_MISSING';
      return states.includes('outdated') ? 'BACKUP_OUTDATED' : null;
    },
  };
}
