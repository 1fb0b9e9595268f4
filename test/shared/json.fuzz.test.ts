import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonError, MAX_JSON_DEPTH, parseJson, type JsonValue } from '../../shared/json/index.ts';

const LIMITS = { maxBytes: 1 << 20, maxDepth: MAX_JSON_DEPTH };

function parseOrRefuse(input: string | Uint8Array): { value: JsonValue } | undefined {
  try {
    return { value: parseJson(input, LIMITS) };
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError);
    return undefined;
  }
}

function isSame(value: JsonValue, text: string): boolean {
  return JSON.stringify(value) === JSON.stringify(JSON.parse(text));
}

describe('JSON', () => {
  test('gives back what JSON.stringify wrote', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const parsed = parseOrRefuse(text);
        // fast-check writes unsafe integers, __proto__ and halves of pairs as well; those are refused.
        expect(parsed === undefined || isSame(parsed.value, text)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('takes nothing that JSON.parse refuses, whatever was changed', () => {
    const noise = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      '.',
      'e',
      '\u0000',
      ' ',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), noise, (text, at, character) => {
        const index = at % (text.length + 1);
        const changed = text.slice(0, index) + character + text.slice(index + 1);
        const parsed = parseOrRefuse(changed);
        expect(parsed === undefined || isSame(parsed.value, changed)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('meets arbitrary bytes with a value or a coded refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const parsed = parseOrRefuse(bytes);
        expect(parsed === undefined || 'value' in parsed).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
