import { MAX_CEREMONY_KEYS, type Plan } from '../../audit/transcript/index.ts';
import { epochOf } from '../frost/index.ts';
import { CeremonyError } from './ceremonies/index.ts';
import type { ShareKeeper } from './ceremonies/share-keeper.ts';

const HOUR_MS = 3_600_000;
/** Milliseconds between two looks at the keys. */
const LOOK_MS = 60_000;
/** The longest pause after refreshes that have failed; the first is one look. */
const MAX_BACK_OFF_MS = 3_600_000;
/**
 * Part of `refreshHours` for which a share must have been in force before another node may have it refreshed: clocks and
 * the times of plans differ, and a node that leads too early must not be able to have shares renewed all the time.
 */
const MIN_AGE = 0.9;

export type ScheduledKeeper = Pick<ShareKeeper, 'shareIds' | 'shareRecord'>;

interface RefreshScheduleOptions {
  readonly self: number;
  /** Hours after which the configuration has shares refreshed; null: on demand alone. */
  readonly refreshHours: number | null;
  readonly keeper: ScheduledKeeper;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** What decides whether a plan without a request is taken. */
interface OrderedPlan extends Pick<Plan, 'operation' | 'coordinator'> {
  readonly keys: readonly { readonly key: string }[];
  readonly holders: readonly number[];
}

/** When the share of a key is due for a refresh. */
export class RefreshSchedule {
  readonly #options: RefreshScheduleOptions;
  /** Keys whose last refresh has failed, how often in a row, and when the next attempt may begin. */
  readonly #failed = new Map<string, { readonly count: number; readonly retryAt: number }>();
  /** When this boot first saw an epoch of which it keeps no ceremony: a share that a dealer outside has made. */
  readonly #seen = new Map<string, { readonly epoch: number; readonly at: number }>();

  constructor(options: RefreshScheduleOptions) {
    this.#options = options;
  }

  /** Milliseconds since 1970 at which a key is due; null where nothing refreshes it or this node has no share. */
  dueAt(key: string): number | null {
    const { refreshHours } = this.#options;
    const since = this.#since(key);
    return refreshHours === null || since === undefined ? null : since + refreshHours * HOUR_MS;
  }

  /**
   * Lists keys that are due and that this node may lead, at most MAX_CEREMONY_KEYS of the same holders and threshold: it
   * is the lowest-numbered holder, and all others are reachable. A key that has failed is tried again alone, later each time.
   */
  nextBatch(isReachable: (node: number) => boolean): string[] {
    const { keeper, self, now } = this.#options;
    const batch: string[] = [];
    let quorum: string | undefined;
    for (const key of keeper.shareIds()) {
      const due = this.dueAt(key);
      const record = keeper.shareRecord(key);
      const group = record?.current?.group;
      if (due === null || due > now() || group === undefined || group.signers[0] !== self) continue;
      if (record?.pending.some(({ isAborted }) => !isAborted) === true) continue;
      if (!group.signers.every((node) => node === self || isReachable(node))) continue;
      const failed = this.#failed.get(key);
      if (failed !== undefined && failed.retryAt > now()) continue;
      if (failed !== undefined && batch.length === 0) return [key];
      if (failed !== undefined) continue;
      const name = `${group.threshold} of ${String(group.signers)}`;
      quorum ??= name;
      if (name === quorum) batch.push(key);
      if (batch.length === MAX_CEREMONY_KEYS) break;
    }
    return batch;
  }

  /** Notes how the refresh of keys has ended. */
  note(keys: readonly string[], hasFailed: boolean): void {
    for (const key of keys) {
      const count = (this.#failed.get(key)?.count ?? 0) + 1;
      const pause = Math.min(LOOK_MS * 2 ** Math.min(count, 16), MAX_BACK_OFF_MS);
      if (hasFailed) this.#failed.set(key, { count, retryAt: this.#options.now() + pause });
      else this.#failed.delete(key);
    }
  }

  /**
   * Asserts that this node's own configuration orders a refresh that another one leads, by this node's own clock.
   *
   * @throws CeremonyError CEREMONY_NOT_ORDERED
   */
  assertOrdered({ operation, keys, coordinator, holders }: OrderedPlan): void {
    const { refreshHours, now } = this.#options;
    if (operation !== 'refresh' || refreshHours === null)
      throw new CeremonyError('CEREMONY_NOT_ORDERED', 'the configuration orders no such ceremony by itself');
    if (!holders.includes(coordinator))
      throw new CeremonyError(
        'CEREMONY_NOT_ORDERED',
        'a node that holds no share leads no refresh by itself',
      );
    for (const { key } of keys) {
      const since = this.#since(key);
      const dueAt = since === undefined ? undefined : since + MIN_AGE * refreshHours * HOUR_MS;
      if (dueAt === undefined || now() < dueAt)
        throw new CeremonyError('CEREMONY_NOT_ORDERED', 'the shares are not due for a refresh', {
          key,
          dueAt,
        });
    }
  }

  /** When the epoch of a key was made, or this boot first saw it. */
  #since(key: string): number | undefined {
    const record = this.#options.keeper.shareRecord(key);
    const epoch = record && epochOf(record);
    if (record === undefined || record.current === null || epoch === undefined) return undefined;
    const kept = record.history.findLast((one) => one.epoch === epoch);
    if (kept !== undefined) return kept.time;
    const seen = this.#seen.get(key);
    if (seen?.epoch === epoch) return seen.at;
    const at = this.#options.now();
    this.#seen.set(key, { epoch, at });
    return at;
  }
}

interface ScheduledRefreshOptions {
  readonly schedule: RefreshSchedule;
  readonly isReachable: (node: number) => boolean;
  /** Leads the refresh of keys to its end. */
  readonly lead: (keys: readonly string[]) => Promise<unknown>;
  /** Told of what a refresh has failed with; it is tried again later. */
  readonly onFailure: (error: unknown) => void;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** True once nothing is to be begun any more. */
  readonly isStopped: () => boolean;
}

/** Refreshes what is due, batch after batch, until it is stopped. */
export async function refreshOnSchedule(options: ScheduledRefreshOptions): Promise<void> {
  const { schedule, isReachable, lead, onFailure, sleep, isStopped } = options;
  for (;;) {
    await sleep(LOOK_MS);
    for (;;) {
      if (isStopped()) return;
      const batch = schedule.nextBatch(isReachable);
      if (batch.length === 0) break;
      try {
        await lead(batch);
        schedule.note(batch, false);
      } catch (error) {
        schedule.note(batch, true);
        onFailure(error);
      }
    }
  }
}
