import { decodeGroup, digestShareGroup, assertShare } from '../../shared/frost/index.ts';
import { MAX_BACKUP_ENTRIES, type PublicEntry } from '../../shared/recovery/index.ts';
import type { EpochShare } from '../frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import { type HeldKey, parseSerialisedSecret } from '../keys/index.ts';
import type { PoolKeys } from '../pools/index.ts';
import { RecoveryError } from './errors.ts';

/** A secret that is backed up, and all that is public of it. */
export interface BackedUpSecret {
  readonly entry: PublicEntry;
  /** Calls `use` with the secret, and clears the copy that was made for it. */
  readonly withSecret: <Result>(use: (secret: Uint8Array) => Result) => Result;
}

/** What one backup holds, and whether the pool has further keys. */
export interface BackupContent {
  readonly secrets: readonly BackedUpSecret[];
  readonly more: boolean;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Names what a backup covers of a share: an epoch of one group, whatever else is made of it later. */
export const coverOfShare = ({ epoch, group }: { readonly epoch: number; readonly group: string }): string =>
  `${epoch}.${group}`;

/**
 * Gathers what the node holds of a key: the whole key, or its shares of the epoch in force and of those that wait for
 * their certificate.
 *
 * @throws RecoveryError BACKUP_EMPTY
 */
export function listKeySecrets(keyring: Keyring, id: string): BackupContent {
  const key = keyring.key(id);
  if (key !== undefined && key.publicKey !== null) {
    const entry = { kind: 'key', id, type: key.type, publicKey: hex(key.publicKey) } as PublicEntry;
    return { secrets: [{ entry, withSecret: lend(key) }], more: false };
  }
  const record = keyring.shareRecord(id);
  const shares = [
    ...(record?.current ? [{ state: 'current' as const, share: record.current }] : []),
    ...(record?.pending ?? []).map(({ share }) => ({ state: 'pending' as const, share })),
  ];
  if (shares.length === 0) throw empty(id);
  return {
    secrets: shares.map(({ state, share }) => describeShare(keyring, id, state, share)),
    more: false,
  };
}

/** Describes a share after it was verified against its group's commitments once more: the node attests to that. */
function describeShare(
  keyring: Keyring,
  id: string,
  state: 'current' | 'pending',
  { group: known, participant, share }: EpochShare,
): BackedUpSecret {
  const { type, epoch, threshold, signers, commitments } = known;
  const suite = keyring.arithmetic.suites[type];
  const group = decodeGroup(suite, known);
  assertShare(group, participant, share);
  const entry: PublicEntry = {
    kind: 'share',
    id,
    type,
    state,
    epoch,
    threshold,
    signers: [...signers],
    participant,
    commitments: commitments.map(hex),
    verifyingShare: hex(suite.group.encode(group.verifyingShare(participant))),
    group: digestShareGroup(known),
  };
  return { entry, withSecret: (use) => use(share) };
}

/**
 * Gathers a page of a pool's keys, in the order of their creation.
 *
 * @param after the key before the first; null for the beginning
 * @throws RecoveryError BACKUP_EMPTY; BootError KEY_MISMATCH
 */
export function listPoolSecrets(pools: PoolKeys, pool: string, after: string | null): BackupContent {
  const records = pools.list(pool);
  const start = after === null ? 0 : records.findIndex(({ id }) => id === after) + 1;
  if ((after !== null && start === 0) || start >= records.length) throw empty(pool);
  const page = records.slice(start, start + MAX_BACKUP_ENTRIES);
  const secrets = page.flatMap(({ id, type, usage, publicKey, created }) => {
    const key = pools.find(id)?.key();
    if (key === undefined) return [];
    const time = new Date(created).toISOString();
    const entry: PublicEntry = { kind: 'pool-key', id, pool, type, usage, publicKey, created: time };
    return [{ entry, withSecret: lend(key, key.usage) }];
  });
  return { secrets, more: start + page.length < records.length };
}

/** Lends the secret of a whole key without the header of its sealed form. */
function lend(key: HeldKey, poolUsage?: HeldKey['usage']): BackedUpSecret['withSecret'] {
  return (use) => {
    const serialised = key.serialise();
    try {
      return use(parseSerialisedSecret({ type: key.type, poolUsage }, serialised));
    } finally {
      serialised.fill(0);
    }
  };
}

function empty(key: string): RecoveryError {
  return new RecoveryError('BACKUP_EMPTY', 'the node holds nothing of the key that could be backed up', {
    key,
  });
}
