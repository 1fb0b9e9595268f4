import { expect, it } from 'vitest';
import { dropOldest } from '../../shared/drop-oldest.ts';

it('forgets what came first, and no more than it has to', () => {
  const held = new Set(['a', 'b', 'c']);
  dropOldest(held, 3);
  expect([...held]).toEqual(['a', 'b', 'c']);
  dropOldest(held, 2);
  expect([...held]).toEqual(['b', 'c']);
  const named = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  dropOldest(named, 0);
  expect(named.size).toBe(0);
});
