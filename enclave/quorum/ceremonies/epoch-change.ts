import { digestShareGroup } from '../../../shared/frost/index.ts';
import type { Plan, PlannedKey } from '../../../audit/transcript/index.ts';
import {
  epochOf,
  type EpochShare,
  type KeptCeremony,
  MAX_PENDING_EPOCHS,
  MAX_SHARE_HISTORY,
  type ShareRecord,
} from '../../frost/index.ts';

/*
 * How a record changes. Every function returns a new record and changes nothing: what it says holds once it is sealed.
 */

/** Adds an epoch that this node is about to confirm; the oldest aborted ones make room. */
export function addPending(
  record: ShareRecord | undefined,
  share: EpochShare,
  ceremony: Uint8Array,
  transcript: Uint8Array,
): ShareRecord {
  const { type } = share.group;
  const before = record ?? {
    type,
    origin: null,
    current: null,
    pending: [],
    superseded: null,
    history: [],
  };
  const kept = [...before.pending];
  while (kept.length >= MAX_PENDING_EPOCHS)
    kept.splice(
      Math.max(
        0,
        kept.findIndex(({ isAborted }) => isAborted),
      ),
      1,
    );
  return { ...before, pending: [...kept, { ceremony, transcript, isAborted: false, share }] };
}

/** Puts a pending epoch into force: its share takes the place of all before it. */
export function activateEpoch(
  record: ShareRecord,
  { id: ceremony, time }: Pick<Plan, 'id' | 'time'>,
  { origin }: Pick<PlannedKey, 'origin'>,
): ShareRecord {
  const chosen = record.pending.find((pending) => isEqual(pending.ceremony, ceremony));
  if (chosen === undefined) throw new RangeError('expected a pending epoch of that ceremony');
  const { group } = chosen.share;
  const history = addHistory(record.history, { epoch: group.epoch, ceremony: chosen.ceremony, time });
  return {
    ...record,
    origin: origin === null ? digestShareGroup(group) : Buffer.from(origin).toString('hex'),
    current: chosen.share,
    pending: record.pending.filter(({ share }) => share.group.epoch > group.epoch),
    superseded: null,
    history,
  };
}

/** Notes that an epoch is in force of which this node has no share: what it holds is of no use. */
export function supersede(record: ShareRecord, epoch: number, publicKey: Uint8Array): ShareRecord {
  return {
    ...record,
    current: null,
    superseded: { epoch, publicKey },
    pending: record.pending.filter(({ share }) => share.group.epoch > epoch),
  };
}

/** Notes that a holder has signed that it never confirms. */
export function abortPending(record: ShareRecord, ceremony: Uint8Array): ShareRecord {
  return {
    ...record,
    pending: record.pending.map((pending) =>
      isEqual(pending.ceremony, ceremony) ? { ...pending, isAborted: true } : pending,
    ),
  };
}

/** The highest epoch that a record names; 0 for none. */
export function highestEpoch(record: ShareRecord): number {
  return Math.max(epochOf(record) ?? 0, ...record.pending.map(({ share }) => share.group.epoch));
}

function addHistory(history: readonly KeptCeremony[], kept: KeptCeremony): KeptCeremony[] {
  const all = [...history, kept];
  // The first one made the key; between it and the newest ones, the oldest goes.
  return all.length <= MAX_SHARE_HISTORY
    ? all
    : [...all.slice(0, 1), ...all.slice(all.length - MAX_SHARE_HISTORY + 1)];
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one).equals(other);
}
