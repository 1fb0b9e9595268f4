import { describe, expect, test } from 'vitest';
import { JsonError, MAX_JSON_DEPTH, parseJson, type JsonLimits } from '../../shared/json/index.ts';

const LIMITS: JsonLimits = { maxBytes: 1000, maxDepth: 4 };

function refusal(input: string | Uint8Array, limits: Partial<JsonLimits> = {}): string {
  try {
    parseJson(input, { ...LIMITS, ...limits });
  } catch (error) {
    if (error instanceof JsonError) return error.code;
    throw error;
  }
  return 'taken';
}

describe('parseJson', () => {
  test.each([
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-12.5e-3',
    '1E+2',
    '9007199254740991',
    '""',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"',
    '"\\ud83d\\ude00"',
    '"é\u2028"',
    '[]',
    ' [ 1 , [ ] , { } ] ',
    '{"a":{"b":[null]},"":0,"constructor":1}',
    '\t\r\n {} \t',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parseJson(text, LIMITS)).toEqual(JSON.parse(text));
    expect(parseJson(new TextEncoder().encode(text), LIMITS)).toEqual(JSON.parse(text));
  });

  test.each([
    ['a duplicate key', '{"a":1,"a":1}', 'JSON_DUPLICATE_KEY'],
    ['a duplicate key behind an escape', '{"a":1,"\\u0061":1}', 'JSON_DUPLICATE_KEY'],
    ['a duplicate key inside', '[{"a":{"b":1,"b":2}}]', 'JSON_DUPLICATE_KEY'],
    ['__proto__', '{"__proto__":{}}', 'JSON_FORBIDDEN_KEY'],
    ['__proto__ behind an escape', '{"\\u005f_proto__":{}}', 'JSON_FORBIDDEN_KEY'],
    ['text after the end', '{} {}', 'JSON_TRAILING_BYTES'],
    ['a byte order mark', '\ufeff{}', 'JSON_SYNTAX'],
    ['a comment', '{/**/}', 'JSON_SYNTAX'],
    ['a trailing comma in an object', '{"a":1,}', 'JSON_SYNTAX'],
    ['a trailing comma in an array', '[1,]', 'JSON_SYNTAX'],
    ['single quotes', "{'a':1}", 'JSON_SYNTAX'],
    ['a key without quotes', '{a:1}', 'JSON_SYNTAX'],
    ['no colon', '{"a" 1}', 'JSON_SYNTAX'],
    ['no comma', '[1 2]', 'JSON_SYNTAX'],
    ['a wrong closing bracket', '[1}', 'JSON_SYNTAX'],
    ['a leading zero', '01', 'JSON_TRAILING_BYTES'],
    ['a leading plus', '+1', 'JSON_SYNTAX'],
    ['a bare minus', '-', 'JSON_SYNTAX'],
    ['a point without digits', '1.', 'JSON_TRAILING_BYTES'],
    ['NaN', 'NaN', 'JSON_SYNTAX'],
    ['a word cut short', 'nul', 'JSON_SYNTAX'],
    ['a no-break space', '\u00a0{}', 'JSON_SYNTAX'],
    ['a raw control character', '"a\nb"', 'JSON_SYNTAX'],
    ['an unknown escape', '"\\x41"', 'JSON_SYNTAX'],
    ['a short unicode escape', '"\\u12"', 'JSON_SYNTAX'],
    ['half a surrogate pair', '"\\ud800"', 'JSON_UNICODE'],
    ['the halves swapped', '"\\ude00\\ud83d"', 'JSON_UNICODE'],
    ['an integer that a double does not hold', '9007199254740993', 'JSON_NUMBER'],
    ['an integer beyond the safe ones', '1e20', 'JSON_NUMBER'],
    ['an overflow', '1e999', 'JSON_NUMBER'],
    ['nothing', '', 'JSON_TRUNCATED'],
    ['an open object', '{"a":1', 'JSON_TRUNCATED'],
    ['an open string', '"a', 'JSON_TRUNCATED'],
    ['an open escape', '"\\', 'JSON_TRUNCATED'],
  ])('refuses %s', (_name, text, code) => {
    expect(refusal(text)).toBe(code);
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(refusal(Uint8Array.of(0x22, 0xff, 0x22))).toBe('JSON_UNICODE');
    expect(refusal(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toBe('JSON_UNICODE');
    expect(refusal(Uint8Array.of(0x22, 0xc0, 0x80, 0x22))).toBe('JSON_UNICODE');
  });

  test('refuses more bytes and deeper nesting than the limits', () => {
    expect(refusal('[[[[]]]]')).toBe('taken');
    expect(refusal('[[[[[]]]]]')).toBe('JSON_TOO_DEEP');
    expect(refusal('{"a":{"a":{"a":{"a":{}}}}}')).toBe('JSON_TOO_DEEP');
    expect(refusal('[]', { maxDepth: 0 })).toBe('JSON_TOO_DEEP');
    expect(refusal('"é"', { maxBytes: 3 })).toBe('taken');
    expect(refusal(new TextEncoder().encode('"é"'), { maxBytes: 3 })).toBe('JSON_TOO_LARGE');
    expect(refusal('['.repeat(1000), { maxDepth: MAX_JSON_DEPTH })).toBe('JSON_TOO_DEEP');
    expect(() => parseJson('1', { maxBytes: 0, maxDepth: 1 })).toThrow(RangeError);
    expect(() => parseJson('1', { maxBytes: 1, maxDepth: MAX_JSON_DEPTH + 1 })).toThrow(RangeError);
  });

  test('gives objects without a prototype', () => {
    const value = parseJson('{"a":{}}', LIMITS);
    expect(Object.getPrototypeOf(value)).toBeNull();
  });
});
