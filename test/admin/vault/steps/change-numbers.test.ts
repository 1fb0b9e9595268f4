import { describe, expect, it } from 'vitest';
import {
  type ChangeStatements,
  findLeaps,
  newestChange,
  numberChange,
} from '../../../../admin/vault/steps/configuration/change.ts';

/** What the admins of nodes 1, 2 and so on have stated, by the numbers of their changes; 0: nothing. */
function stated(...numbers: readonly number[]): ChangeStatements {
  return new Map(
    numbers.map((change, index) => [
      index + 1,
      change === 0 ? undefined : ({ facts: { change, rules: `rules ${change}` } } as never),
    ]),
  );
}

const number = (changes: ChangeStatements, node: number, threshold: number, isWhole = true) =>
  numberChange(changes, node, { digest: 'other rules', isAnew: true, threshold, isWhole });

describe('the number of a change', () => {
  it.each([
    ['one of three', stated(3, 4, 9_000), 2, [3], 4],
    ['two of five who agree', stated(3, 4, 4, 9_000, 9_001), 3, [4, 5], 4],
    ['nobody, where so many agree as the vault needs', stated(0, 9_000, 9_001), 2, [], 9_001],
    ['nobody, where one admin is all that the vault needs', stated(9_000), 1, [], 9_000],
  ])('counts none of %s', (_, changes, threshold, leaps, newest) => {
    expect(findLeaps(changes, threshold)).toEqual(leaps);
    expect(newestChange(changes, threshold)).toBe(newest);
  });

  it('is no leap by which fewer than the threshold would have the last one', () => {
    expect(number(stated(3, 4, 4, 9_000, 9_001), 1, 3)).toBe(5);
    expect(() => number(stated(20, 0, 0), 1, 2, false)).toThrow(
      expect.objectContaining({ code: 'VAULT_CHANGE_LEAP' }),
    );
  });

  it('does not begin anew where what the others have stated could not be read', () => {
    expect(number(stated(12, 0, 0), 1, 2, false)).toBe(13);
    // One's own slip is taken back by a lower number.
    expect(number(stated(9_000, 2, 2), 1, 2)).toBe(3);
  });
});
