import { expect, test } from 'vitest';
import { encodeCanonicalJson } from '../../shared/json/index.ts';

const text = (value: Parameters<typeof encodeCanonicalJson>[0]) =>
  Buffer.from(encodeCanonicalJson(value)).toString('utf8');

test('sorts members by UTF-16 code units, at every depth, and writes no blanks', () => {
  // The order of RFC 8785, 3.2.3.
  const value = {
    '\u20ac': 1,
    '\r': 2,
    '\ufb33': 3,
    '1': 4,
    '\u{1f600}': 5,
    '\u0080': 6,
    '\u00f6': 7,
  };
  expect(text({ outer: value })).toBe(
    '{"outer":{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}}',
  );
});

test('gives the same bytes whatever the order of members, and leaves undefined ones out', () => {
  expect(text({ b: [true, null], a: 'x' })).toBe(text({ a: 'x', c: undefined, b: [true, null] }));
});

test.each([[1.5], [2 ** 53], [Number.NaN], ['\ud800'], [{ '\udc00': 1 }]])(
  'refuses %j, which encoders write differently',
  (value) => {
    expect(() => encodeCanonicalJson(value as number)).toThrow(RangeError);
  },
);
