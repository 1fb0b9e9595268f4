import { describe, expect, it } from 'vitest';
import { Accumulations, type Charge } from '../../../policy/accumulations/index.ts';
import { addSpending, MAX_SPENDINGS, type Spending, sumAfter } from '../../../policy/accumulations/window.ts';
import { InternalError } from '../../../shared/errors.ts';

const NOW = Date.UTC(2026, 11, 1);
const SECOND = 1000;
const charge = (amount: bigint, changes: Partial<Charge> = {}): Charge => ({
  limit: 'daily',
  asset: 'eip155:1/slip44:60',
  per: 'client',
  subject: 'backend',
  max: 10n,
  seconds: 60,
  amount,
  ...changes,
});
const sealed = (from: Accumulations) =>
  from.collectChanges().flatMap(({ plaintext }) => (plaintext === null ? [] : [plaintext]));

describe('an accumulation', () => {
  it('takes up to its limit within its window, and again what has left it', () => {
    const spent = new Accumulations();
    spent.charge([charge(6n)], NOW);
    expect(spent.findShortage([charge(5n)], NOW + 59 * SECOND)).toMatchObject({
      kind: 'limit',
      spent: 6n,
      milliseconds: SECOND,
    });
    expect(() => spent.charge([charge(5n)], NOW + 59 * SECOND)).toThrow(RangeError);
    spent.charge([charge(4n)], NOW + 59 * SECOND);
    expect(spent.findShortage([charge(1n)], NOW + 60 * SECOND - 1)).toBeDefined();
    expect(spent.findShortage([charge(6n)], NOW + 60 * SECOND)).toBeUndefined();
  });

  it('counts amounts beyond 64 bits exactly', () => {
    const max = 2n ** 200n;
    const spent = new Accumulations();
    spent.charge([charge(max - 1n, { max })], NOW);
    expect(spent.findShortage([charge(2n, { max })], NOW)).toBeDefined();
    spent.charge([charge(1n, { max })], NOW);
    expect(spent.findShortage([charge(1n, { max })], NOW)).toBeDefined();
  });

  it('says that no time is long enough for more than the limit', () => {
    expect(new Accumulations().findShortage([charge(11n)], NOW)).toMatchObject({ milliseconds: null });
  });

  it('makes all charges or none', () => {
    const spent = new Accumulations();
    expect(() => spent.charge([charge(4n), charge(11n, { subject: 'b' })], NOW)).toThrow(RangeError);
    expect(spent.collectChanges()).toEqual([]);
    expect(spent.findShortage([charge(10n)], NOW)).toBeUndefined();
  });

  it('refuses an amount below zero, which would grant', () => {
    expect(() => new Accumulations().charge([charge(-1n)], NOW)).toThrow(RangeError);
  });

  it.each([Number.NaN, -1, Infinity, 0.5])('takes %d for no time', (now) => {
    expect(() => new Accumulations().findShortage([charge(1n)], now)).toThrow(RangeError);
  });

  it('grants nothing to a clock that goes back', () => {
    const spent = new Accumulations();
    spent.charge([charge(10n)], NOW);
    expect(spent.findShortage([charge(1n)], NOW - 3600 * SECOND)).toBeDefined();
    // A spending of an earlier clock is remembered at the latest time.
    spent.findShortage([], NOW + 60 * SECOND);
    spent.charge([charge(10n)], NOW);
    expect(spent.findShortage([charge(1n)], NOW + 119 * SECOND)).toBeDefined();
  });

  it('is counted apart for each subject, asset, kind of subject and limit', () => {
    const spent = new Accumulations();
    spent.charge([charge(10n)], NOW);
    for (const other of [{ subject: 'b' }, { asset: 'x' }, { per: 'key' }, { limit: 'b' }]) {
      expect(spent.findShortage([charge(10n, other)], NOW)).toBeUndefined();
    }
  });

  it('is restored from what was sealed, and gives each change once', () => {
    const spent = new Accumulations();
    spent.charge([charge(6n)], NOW);
    const records = sealed(spent);
    expect(records).toHaveLength(1);
    expect(spent.collectChanges()).toEqual([]);
    const restored = Accumulations.restore(records);
    expect(restored.findShortage([charge(5n)], NOW)).toBeDefined();
    expect(restored.findShortage([charge(4n)], NOW)).toBeUndefined();
    // The clock of a restarted node may not go back behind what was sealed either.
    expect(restored.findShortage([charge(5n)], NOW - 3600 * SECOND)).toBeDefined();
  });

  it.each(['', '{}', '{"format":"holdfast-accumulation/2"}', '\u0000'])('is not restored from %j', (text) => {
    expect(() => Accumulations.restore([Buffer.from(text)])).toThrow(InternalError);
  });

  it('obeys the newest limit over what it remembers', () => {
    const spent = new Accumulations();
    spent.charge([charge(6n)], NOW);
    expect(spent.findShortage([charge(1n, { max: 6n })], NOW)).toBeDefined();
    expect(spent.findShortage([charge(6n, { max: 12n })], NOW)).toBeUndefined();
    expect(spent.findShortage([charge(10n, { seconds: 30 })], NOW + 30 * SECOND)).toBeUndefined();
    expect(spent.findShortage([charge(10n, { seconds: 90 })], NOW + 61 * SECOND)).toBeDefined();
  });
});

describe('the windows of all accumulations', () => {
  it('are so many and no more, and only those that are over make room', () => {
    const spent = new Accumulations(2);
    spent.charge([charge(1n, { subject: 'a' })], NOW);
    spent.charge([charge(1n, { subject: 'b', seconds: 120 })], NOW);
    expect(spent.findShortage([charge(1n, { subject: 'c' })], NOW + 59 * SECOND)).toMatchObject({
      kind: 'full',
    });
    spent.charge([charge(1n, { subject: 'a' })], NOW + 59 * SECOND);
    spent.collectChanges();
    expect(spent.findShortage([charge(1n, { subject: 'c' })], NOW + 119 * SECOND - 1)).toMatchObject({
      kind: 'full',
    });
    spent.charge([charge(1n, { subject: 'c' })], NOW + 119 * SECOND);
    expect(spent.size).toBe(2);
    const changes = spent.collectChanges();
    expect(changes.map(({ plaintext }) => plaintext === null)).toEqual([true, false]);
    expect(
      spent.findShortage([charge(10n, { subject: 'b', seconds: 120 })], NOW + 62 * SECOND),
    ).toBeDefined();
  });

  it('are left to other limits however many destinations a client pays, across a restart too', () => {
    const pay = (subject: string) => charge(1n, { limit: 'each', per: 'destination', subject });
    const first = new Accumulations(8);
    for (let index = 0; index < 6; index += 1) first.charge([pay(`${index}`)], NOW);
    for (const spent of [first, Accumulations.restore(sealed(first), 8)]) {
      expect(spent.findShortage([pay('6')], NOW)).toMatchObject({ kind: 'full' });
      expect(spent.findShortage([charge(1n), pay('0')], NOW)).toBeUndefined();
      expect(spent.findShortage([charge(1n), pay('6')], NOW)).toMatchObject({ kind: 'full' });
      // A window that is over makes room for another destination.
      expect(spent.findShortage([pay('6')], NOW + 61 * SECOND)).toBeUndefined();
    }
  });

  it('are not filled by what costs nothing', () => {
    const spent = new Accumulations(1);
    spent.charge([charge(0n, { subject: 'a' }), charge(0n, { subject: 'b' })], NOW);
    expect(spent.size).toBe(0);
    expect(spent.collectChanges()).toEqual([]);
  });
});

describe('the spendings of a window', () => {
  it('are so many and no more, and merging moves them later, never earlier', () => {
    let spendings: Spending[] = [];
    const made: Spending[] = [];
    for (let index = 0; index < 500; index += 1) {
      const at = index * 7 + (index % 3);
      made.push({ at, amount: BigInt(index) });
      spendings = addSpending(spendings, { at, amount: BigInt(index) }, -1);
      expect(spendings.length).toBeLessThanOrEqual(MAX_SPENDINGS);
    }
    for (let since = -1; since < 3600; since += 13) {
      expect(sumAfter(spendings, since) >= sumAfter(made, since)).toBe(true);
    }
    expect(sumAfter(spendings, -1)).toBe(sumAfter(made, -1));
  });

  it('that were made in one millisecond are one', () => {
    const twice = addSpending([{ at: 5, amount: 1n }], { at: 5, amount: 2n }, 0);
    expect(twice).toEqual([{ at: 5, amount: 3n }]);
  });
});
