import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColdError, joinParts, splitIntoParts } from '../../../shared/cold/index.ts';

const MAXIMUM = 64 * 1024;
const codeOf = (text: string, maximum = MAXIMUM) => {
  try {
    joinParts(text, maximum);
    return 'joined';
  } catch (error) {
    if (error instanceof ColdError) return error.code;
    throw error;
  }
};

describe('parts of a message', () => {
  it('join again in any order, though some come twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), fc.integer(), (message, seed) => {
        const parts = splitIntoParts(message);
        const mixed = [...parts, ...parts].toSorted(
          (left, right) =>
            ((left.length * seed) % 7) - ((right.length * seed) % 7) || (left < right ? 1 : -1),
        );
        expect(joinParts(mixed.join('\n'), MAXIMUM)).toEqual(new Uint8Array(message));
      }),
      { numRuns: 50 },
    );
  });

  it('are characters of QR’s alphanumeric mode', () => {
    for (const part of splitIntoParts(randomBytes(5_000)))
      expect(part).toMatch(/^[0-9A-Z $%*+\-./:]{1,1000}$/);
  });

  it('are refused one by one where a part is missing', () => {
    const parts = splitIntoParts(randomBytes(2_000));
    for (const left of parts)
      expect(codeOf(parts.filter((part) => part !== left).join('\n'))).toBe('COLD_PARTS_INCOMPLETE');
  });

  it.each([
    ['nothing', () => ''],
    ['another text', () => 'HFC1/'],
    [
      'parts of two messages',
      () => [...splitIntoParts(randomBytes(9)), ...splitIntoParts(randomBytes(9))].join('\n'),
    ],
    ['a number above the count', () => splitIntoParts(randomBytes(9)).join('\n').replace('/1/1/', '/2/1/')],
    [
      'one byte changed',
      () => (splitIntoParts(randomBytes(9))[0] ?? '').replace(/..$/, (pair) => (pair === '00' ? '01' : '00')),
    ],
    ['another name', () => (splitIntoParts(randomBytes(9))[0] ?? '').replace(/^HFC1\/.{4}/, 'HFC1/0000')],
  ])('are refused where there is %s', (_, make) => {
    expect(codeOf(make())).toBe('COLD_PARTS_MALFORMED');
  });

  it('inflate to no more than the maximum', () => {
    expect(codeOf(splitIntoParts(new Uint8Array(1_000_000)).join('\n'), 10_000)).toBe('COLD_PARTS_MALFORMED');
  });

  it('are refused for a message that needs too many', () => {
    expect(() => splitIntoParts(randomBytes(60_000))).toThrow(
      expect.objectContaining({ code: 'COLD_PARTS_TOO_MANY' }),
    );
  });
});
