import {
  type AccumulationChange,
  decodeWindow,
  encodeWindow,
  nameWindow,
  recordIdOf,
  type Window,
  type WindowName,
} from './records.ts';
import { addSpending, sumAfter, waitFor } from './window.ts';

/** The table of the sealed store that accumulations lie in. */
export const ACCUMULATIONS_TABLE = 'accumulations';

/** The most windows at once: each is a record of the sealed store. */
export const MAX_WINDOWS = 8192;

/**
 * The part of all windows that may be those of destinations. A client chooses destinations: it could otherwise leave no
 * window to the limits of other clients, keys and rules.
 */
const DESTINATIONS_SHARE = 3 / 4;

/** An amount to count against a limit. */
export interface Charge extends WindowName {
  readonly amount: bigint;
  readonly max: bigint;
  readonly seconds: number;
}

/** Why charges cannot be made: one is over its limit, or no window is free for it. */
export type Shortage =
  | {
      readonly kind: 'limit';
      readonly charge: Charge;
      /** What was spent already. */
      readonly spent: bigint;
      /** Milliseconds until it fits; null: it never does. */
      readonly milliseconds: number | null;
    }
  | { readonly kind: 'full'; readonly charge: Charge };

/**
 * What was spent against limits, in sliding windows: at no moment is more than `max` spent within `seconds`. A charge
 * counts at once, in memory; what {@link collectChanges} gives has to be sealed before what the charge is for leaves the
 * node. A node that ends in between has spent allowance for nothing, and grants nothing twice.
 *
 * A limit is what the configuration says now: a lower `max` counts at once against what is remembered, and so does a
 * higher one. After a longer `seconds`, what was over under the shorter one is not remembered. A window is kept until it
 * is over, even while no limit names it. Another asset or `per` under the same id is another limit.
 */
export class Accumulations {
  readonly #windows = new Map<string, Window>();
  readonly #changed = new Set<string>();
  readonly #maxWindows: number;
  readonly #maxDestinations: number;
  /** Number of windows of destinations. */
  #destinations = 0;
  /** The latest time seen: none earlier is believed. */
  #latest = 0;
  /** Before this time no window is over. */
  #nextEnd = 0;

  constructor(maxWindows = MAX_WINDOWS) {
    this.#maxWindows = maxWindows;
    this.#maxDestinations = Math.ceil(maxWindows * DESTINATIONS_SHARE);
  }

  /** Restores what was sealed. @throws InternalError for a record that is none of these */
  static restore(records: Iterable<Uint8Array>, maxWindows = MAX_WINDOWS): Accumulations {
    const accumulations = new Accumulations(maxWindows);
    for (const record of records) {
      const window = decodeWindow(record);
      accumulations.#windows.set(nameWindow(window), window);
      if (window.per === 'destination') accumulations.#destinations += 1;
      accumulations.#see(window.spendings.at(-1)?.at ?? 0);
    }
    return accumulations;
  }

  get size(): number {
    return this.#windows.size;
  }

  /** Finds why charges cannot all be made; undefined where they can. Changes nothing that counts. */
  findShortage(charges: readonly Charge[], now: number): Shortage | undefined {
    const time = this.#see(now);
    const missing = { windows: 0, destinations: 0 };
    for (const charge of charges) {
      const window = this.#windows.get(nameWindow(charge));
      const length = charge.seconds * 1000;
      const spendings = window?.spendings ?? [];
      const spent = sumAfter(spendings, time - length);
      if (spent + charge.amount > charge.max) {
        const milliseconds = waitFor(spendings, { ...charge, now: time, length });
        return { kind: 'limit', charge, spent, milliseconds };
      }
      if (window !== undefined || charge.amount === 0n) continue;
      missing.windows += 1;
      if (charge.per === 'destination') missing.destinations += 1;
      if (!this.#makeRoom(missing, time)) return { kind: 'full', charge };
    }
    return undefined;
  }

  /**
   * Makes charges that fit.
   *
   * @throws RangeError where they do not, having made none
   */
  charge(charges: readonly Charge[], now: number): void {
    const shortage = this.findShortage(charges, now);
    if (shortage !== undefined) throw new RangeError('the charges do not fit');
    for (const charge of charges) {
      if (charge.amount < 0n) throw new RangeError('an amount is below zero');
      if (charge.amount > 0n) this.#add(charge);
    }
  }

  /** Gives the records that have changed since the last call. They have to be sealed, all of them at once. */
  collectChanges(): AccumulationChange[] {
    const changes = [...this.#changed].map((name) => {
      const window = this.#windows.get(name);
      return { id: recordIdOf(name), plaintext: window === undefined ? null : encodeWindow(window) };
    });
    this.#changed.clear();
    return changes;
  }

  #add({ limit, asset, per, subject, seconds, amount }: Charge): void {
    const name = nameWindow({ limit, asset, per, subject });
    const known = this.#windows.get(name);
    if (known === undefined && per === 'destination') this.#destinations += 1;
    const spendings = known?.spendings ?? [];
    const at = this.#latest;
    this.#windows.set(name, {
      limit,
      asset,
      per,
      subject,
      seconds,
      spendings: addSpending(spendings, { at, amount }, at - seconds * 1000),
    });
    this.#changed.add(name);
    this.#nextEnd = Math.min(this.#nextEnd, at + seconds * 1000);
  }

  /** Takes note of the time, and returns the latest so far. @throws RangeError for what is no time */
  #see(now: number): number {
    if (!Number.isSafeInteger(now) || now < 0) throw new RangeError('expected milliseconds since 1970');
    this.#latest = Math.max(this.#latest, now);
    return this.#latest;
  }

  /** Makes room for more windows by forgetting those that are over, and no others. */
  #makeRoom(missing: { readonly windows: number; readonly destinations: number }, now: number): boolean {
    const hasRoom = () =>
      this.#windows.size + missing.windows <= this.#maxWindows &&
      (missing.destinations === 0 || this.#destinations + missing.destinations <= this.#maxDestinations);
    if (hasRoom() || now < this.#nextEnd) return hasRoom();
    this.#nextEnd = Infinity;
    for (const [name, { per, seconds, spendings }] of this.#windows) {
      const end = (spendings.at(-1)?.at ?? 0) + seconds * 1000;
      if (end <= now) {
        this.#windows.delete(name);
        if (per === 'destination') this.#destinations -= 1;
        this.#changed.add(name);
      } else this.#nextEnd = Math.min(this.#nextEnd, end);
    }
    return hasRoom();
  }
}
