import type { Backup, ShareEntry } from '../../shared/recovery/index.ts';
import { BackupAuditError } from './errors.ts';

/** One epoch of a shared key, and the nodes that have a backup of their share in it. */
export interface EpochBackups {
  readonly key: string;
  readonly type: ShareEntry['type'];
  readonly epoch: number;
  /** SHA-384 of the group. */
  readonly group: string;
  readonly publicKey: string;
  /** The recovery key that all of them are encrypted to, X25519 in hex. */
  readonly recoveryKey: string;
  readonly threshold: number;
  /** Numbers of the signers whose shares are at hand, ascending. */
  readonly participants: readonly number[];
  /** Whether as many shares are at hand as it takes. */
  readonly isRecoverable: boolean;
  /** Whether a newer epoch of the key is at hand too. */
  readonly isSuperseded: boolean;
}

/** A whole key that is at hand. */
export interface WholeBackup {
  readonly key: string;
  readonly node: number;
  readonly kind: 'key' | 'pool-key';
  readonly type: string;
  readonly publicKey: string | null;
}

export interface BackupCoverage {
  readonly epochs: readonly EpochBackups[];
  readonly whole: readonly WholeBackup[];
}

interface FoundEpoch {
  readonly entry: ShareEntry;
  /** Vault and key: epochs of others supersede nothing. */
  readonly place: string;
  readonly recoveryKey: string;
  readonly participants: Set<number>;
}

/**
 * Describes what backups of several nodes recover together: which epochs of which keys have enough shares. Shares of
 * different epochs never count together, nor do those that are encrypted to different recovery keys.
 *
 * @throws BackupAuditError BACKUP_GROUPS_DIFFER for shares of one epoch that belong to two groups
 */
export function describeCoverage(backups: readonly Pick<Backup, 'statement'>[]): BackupCoverage {
  const epochs = new Map<string, FoundEpoch>();
  const groups = new Map<string, string>();
  const whole = new Map<string, WholeBackup>();
  for (const { statement } of backups) {
    const { index: node, namespace, environment } = statement.node;
    const { recoveryKey } = statement;
    for (const entry of statement.entries) {
      if (entry.kind !== 'share') {
        const { id, kind, type, publicKey } = entry;
        whole.set(`${node}/${id}`, { key: id, node, kind, type, publicKey });
        continue;
      }
      const place = `${namespace}/${environment}/${entry.id}`;
      const name = `${place}/${entry.epoch}`;
      const group = groups.get(name) ?? entry.group;
      if (group !== entry.group)
        throw new BackupAuditError('BACKUP_GROUPS_DIFFER', 'shares of one epoch belong to two groups', {
          key: entry.id,
          epoch: entry.epoch,
          expected: group,
          actual: entry.group,
        });
      groups.set(name, group);
      const known = epochs.get(`${name}/${recoveryKey}`);
      if (known === undefined)
        epochs.set(`${name}/${recoveryKey}`, {
          entry,
          // Of another public key it is another key, which no epoch supersedes.
          place: `${place}/${entry.commitments[0] ?? ''}`,
          recoveryKey,
          participants: new Set([entry.participant]),
        });
      else known.participants.add(entry.participant);
    }
  }
  const found = [...epochs.values()];
  const newest = new Map<string, number>();
  for (const { entry, place } of found) newest.set(place, Math.max(newest.get(place) ?? 0, entry.epoch));
  return {
    epochs: found.map(({ entry, place, recoveryKey, participants }) => ({
      key: entry.id,
      type: entry.type,
      epoch: entry.epoch,
      group: entry.group,
      publicKey: entry.commitments[0] ?? '',
      recoveryKey,
      threshold: entry.threshold,
      participants: [...participants].toSorted((one, other) => one - other),
      isRecoverable: participants.size >= entry.threshold,
      isSuperseded: entry.epoch < (newest.get(place) ?? 0),
    })),
    whole: [...whole.values()],
  };
}
