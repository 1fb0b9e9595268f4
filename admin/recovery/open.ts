import type { KeyObject } from 'node:crypto';
import { groupOf } from '../../audit/recovery/index.ts';
import type { ShareType } from '../../shared/algorithms.ts';
import {
  assertShare,
  decodeGroup,
  type DecodedGroup,
  nobleSuites,
  ThresholdError,
} from '../../shared/frost/index.ts';
import { HpkeError, openWith } from '../../shared/hpke/index.ts';
import {
  type Backup,
  type BackupEntry,
  encodeBackupAad,
  encodeBackupInfo,
  partCiphertext,
  type ShareEntry,
} from '../../shared/recovery/index.ts';
import { RecoveryCeremonyError } from './errors.ts';

/** Decrypts one entry of a backup. The caller clears it. @throws RecoveryCeremonyError BACKUP_UNREADABLE */
export function openEntry(
  { statement, digest }: Pick<Backup, 'statement' | 'digest'>,
  { entry, ciphertext }: { readonly entry: BackupEntry; readonly ciphertext: Uint8Array },
  recoveryKey: KeyObject,
): Uint8Array<ArrayBuffer> {
  const { entries: _, ...head } = statement;
  const { ciphertext: __, ...known } = entry;
  try {
    return openWith(recoveryKey, partCiphertext(ciphertext), {
      info: encodeBackupInfo(head),
      aad: encodeBackupAad(known),
    });
  } catch (error) {
    if (!(error instanceof HpkeError)) throw error;
    throw new RecoveryCeremonyError(
      'BACKUP_UNREADABLE',
      'the ciphertext does not open with this recovery key',
      { key: entry.id, backup: digest },
      error,
    );
  }
}

/** Shares of one epoch of one key, enough to sign; each fits the commitments that its enclave has attested to. */
export interface RecoveredShares {
  readonly key: string;
  readonly type: ShareType;
  readonly group: DecodedGroup;
  /** By the number of the signer. The caller clears them. */
  readonly shares: ReadonlyMap<number, Uint8Array>;
}

/** Selects one key and epoch where backups hold several under one name. */
export interface WantedShares {
  /** Left out: the newest epoch that enough nodes have. */
  readonly epoch?: number | undefined;
  /** In hex; left out: the only one that the backups have. */
  readonly publicKey?: string | undefined;
}

/**
 * Asserts that backups hold one key under a name: another image, or another time, may have had another one, whose epochs say
 * nothing of which is meant.
 *
 * @param publicKeys in hex; null of symmetric keys
 * @throws RecoveryCeremonyError BACKUP_KEYS_DIFFER
 */
export function assertOneKey(key: string, publicKeys: readonly (string | null)[]): void {
  const found = [...new Set(publicKeys)];
  if (found.length <= 1) return;
  throw new RecoveryCeremonyError(
    'BACKUP_KEYS_DIFFER',
    'the backups hold different keys under this name; the public key says which is meant',
    { key, publicKeys: found },
  );
}

/**
 * Asserts that backups hold enough shares of a key, before any custodian gives a share.
 *
 * @throws RecoveryCeremonyError as chooseEpoch
 */
export function assertEnoughShares(backups: readonly Backup[], key: string, wanted: WantedShares = {}): void {
  chooseEpoch(backups, key, wanted);
}

/**
 * Chooses the epoch to recover: the newest of which enough shares are at hand.
 *
 * @throws RecoveryCeremonyError BACKUP_OTHER_VAULT, BACKUP_KEY_ABSENT, BACKUP_KEYS_DIFFER, BACKUP_EPOCHS_MIXED,
 *   BACKUP_SHARES_TOO_FEW
 */
function chooseEpoch(backups: readonly Backup[], key: string, { epoch, publicKey }: WantedShares) {
  assertOneVault(backups);
  const isWanted = (entry: ShareEntry) =>
    entry.id === key &&
    (epoch === undefined || entry.epoch === epoch) &&
    (publicKey === undefined || entry.commitments[0] === publicKey);
  const byGroup = new Map<string, { backup: Backup; place: number; entry: ShareEntry }[]>();
  for (const backup of backups)
    for (const [place, { entry }] of backup.entries.entries()) {
      if (entry.kind !== 'share' || !isWanted(entry)) continue;
      const known = byGroup.get(entry.group) ?? [];
      // Two backups of one share count once.
      if (!known.some((one) => one.entry.participant === entry.participant))
        byGroup.set(entry.group, [...known, { backup, place, entry }]);
    }
  assertOneKey(
    key,
    [...byGroup.values()].flatMap(([first]) =>
      first === undefined ? [] : [first.entry.commitments[0] ?? null],
    ),
  );
  const found = [...byGroup.values()].toSorted(
    (one, other) => (other[0]?.entry.epoch ?? 0) - (one[0]?.entry.epoch ?? 0),
  );
  const enough = found.find((members) => members.length >= (members[0]?.entry.threshold ?? Infinity));
  if (enough !== undefined) return enough;
  const [most] = found.toSorted((one, other) => other.length - one.length);
  if (most === undefined)
    throw new RecoveryCeremonyError('BACKUP_KEY_ABSENT', 'no backup holds a share of the key', { key });
  const nodes = new Set(found.flat().map(({ entry }) => entry.participant)).size;
  const threshold = most[0]?.entry.threshold ?? 0;
  const isMixed = found.length > 1 && nodes >= threshold;
  throw new RecoveryCeremonyError(
    isMixed ? 'BACKUP_EPOCHS_MIXED' : 'BACKUP_SHARES_TOO_FEW',
    isMixed
      ? 'shares of different epochs do not fit together, and no epoch has enough'
      : 'fewer nodes than the threshold have a backup',
    {
      key,
      epochs: found.map((members) => members[0]?.entry.epoch),
      expected: threshold,
      actual: most.length,
    },
  );
}

/**
 * Decrypts as many shares of a key as it takes, and verifies each against the commitments.
 *
 * @throws RecoveryCeremonyError as chooseEpoch, BACKUP_UNREADABLE, BACKUP_CONTENT_MISMATCH
 */
export function recoverShares(
  backups: readonly Backup[],
  recoveryKey: KeyObject,
  key: string,
  wanted: WantedShares = {},
): RecoveredShares {
  const members = chooseEpoch(backups, key, wanted);
  const [first] = members;
  if (first === undefined) throw new RangeError('expected a share');
  const { type, threshold } = first.entry;
  const group = decodeGroup(nobleSuites[type], groupOf(first.entry));
  const shares = new Map<number, Uint8Array>();
  try {
    for (const { backup, place, entry } of members.slice(0, threshold)) {
      const sealed = backup.entries[place];
      if (sealed === undefined) throw new RangeError('expected an entry');
      const share = openEntry(backup, sealed, recoveryKey);
      shares.set(entry.participant, share);
      assertFits(group, entry, share);
    }
  } catch (error) {
    clearShares({ shares });
    throw error;
  }
  return { key, type, group, shares };
}

function assertFits(group: DecodedGroup, entry: ShareEntry, share: Uint8Array): void {
  try {
    assertShare(group, entry.participant, share);
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error;
    throw new RecoveryCeremonyError(
      'BACKUP_CONTENT_MISMATCH',
      'the share is not the one of the commitments',
      { key: entry.id, node: entry.participant },
      error,
    );
  }
}

/** Clears recovered shares. */
export function clearShares({ shares }: Pick<RecoveredShares, 'shares'>): void {
  for (const share of shares.values()) share.fill(0);
}

/** @throws RecoveryCeremonyError BACKUP_OTHER_VAULT */
function assertOneVault(backups: readonly Backup[]): void {
  const nameOf = ({ statement: { node, recoveryKey } }: Backup) =>
    `${node.namespace}/${node.environment}, recovery key ${recoveryKey}`;
  const [first] = backups;
  const other = backups.find((backup) => first !== undefined && nameOf(backup) !== nameOf(first));
  if (first === undefined || other === undefined) return;
  throw new RecoveryCeremonyError('BACKUP_OTHER_VAULT', 'the backups are of several vaults', {
    expected: nameOf(first),
    actual: nameOf(other),
  });
}
