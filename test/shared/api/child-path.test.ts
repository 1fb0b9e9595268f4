import { describe, expect, it } from 'vitest';
import { childPathSchema, parseChildPath } from '../../../shared/api/child-path.ts';

describe('a path to a child', () => {
  it.each([
    ['0', [0]],
    ['0/5', [0, 5]],
    ['2147483647', [2 ** 31 - 1]],
    ['1/2/3/4/5/6/7/8', [1, 2, 3, 4, 5, 6, 7, 8]],
  ])('takes %s', (path, indices) => {
    expect(childPathSchema.safeParse(path).success).toBe(true);
    expect(parseChildPath(path)).toEqual(indices);
  });

  it.each([
    '',
    'm',
    'm/0',
    '/0',
    '0/',
    '0//1',
    "0'",
    '0h',
    '86h/0',
    '00',
    '05',
    '-1',
    '+1',
    '1.5',
    '1e3',
    ' 0',
    '0\n',
    '2147483648',
    '4294967296',
    '99999999999999999999',
    '1/2/3/4/5/6/7/8/9',
  ])('refuses %j', (path) => {
    expect(childPathSchema.safeParse(path).success).toBe(false);
  });
});
