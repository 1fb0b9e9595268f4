import { describe, expect, test } from 'vitest';
import {
  CborError,
  decodeCbor,
  decodeCborObject,
  encodeCbor,
  MAX_CBOR_DEPTH,
  toPlainCbor,
  type CborEncodable,
  type CborLimits,
} from '../../shared/cbor/index.ts';

const LIMITS: CborLimits = { maxBytes: 4096, maxDepth: 8 };

function decodeHex(hex: string, limits: Partial<CborLimits> = {}): unknown {
  return decodeCbor(Buffer.from(hex, 'hex'), { ...LIMITS, ...limits });
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CborError) return error.code;
    throw error;
  }
  return 'taken';
}

// What a caller without types could pass.
const encodeAnything = (value: unknown): unknown => encodeCbor(value as CborEncodable);

describe('decodeCbor', () => {
  test.each([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['190100', 256],
    ['1a00010000', 65536],
    ['1b0000000100000000', 2 ** 32],
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['1b0020000000000000', 2n ** 53n],
    ['1bffffffffffffffff', 2n ** 64n - 1n],
    ['20', -1],
    ['3822', -35],
    ['3b001ffffffffffffe', -Number.MAX_SAFE_INTEGER],
    ['3b001fffffffffffff', -(2n ** 53n)],
    ['3bffffffffffffffff', -(2n ** 64n)],
    ['60', ''],
    ['6161', 'a'],
    ['62c3bc', 'ü'],
    ['63efbbbf', '\ufeff'],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['80', []],
    ['83010203', [1, 2, 3]],
    ['a0', new Map()],
    ['a201026161f6', new Map<unknown, unknown>([[1, 2], ['a', null]])], // prettier-ignore
  ])('takes %s', (hex, expected) => {
    expect(decodeHex(hex)).toEqual(expected);
  });

  test.each([
    ['a duplicate text key', 'a2616101616102', 'CBOR_DUPLICATE_KEY'],
    ['a duplicate integer key', 'a201010102', 'CBOR_DUPLICATE_KEY'],
    ['a duplicate key of 64 bits', 'a21bffffffffffffffff001bffffffffffffffff01', 'CBOR_DUPLICATE_KEY'],
    ['trailing bytes', '0000', 'CBOR_TRAILING_BYTES'],
    ['an integer not in its shortest form, one byte', '1817', 'CBOR_NON_MINIMAL'],
    ['an integer not in its shortest form, two bytes', '1900ff', 'CBOR_NON_MINIMAL'],
    ['an integer not in its shortest form, four bytes', '1a0000ffff', 'CBOR_NON_MINIMAL'],
    ['an integer not in its shortest form, eight bytes', '1b00000000ffffffff', 'CBOR_NON_MINIMAL'],
    ['a negative integer not in its shortest form', '3817', 'CBOR_NON_MINIMAL'],
    ['a text length not in its shortest form', '780161', 'CBOR_NON_MINIMAL'],
    ['a byte length not in its shortest form', '580161', 'CBOR_NON_MINIMAL'],
    ['an array count not in its shortest form', '980100', 'CBOR_NON_MINIMAL'],
    ['a map count not in its shortest form', 'b8010000', 'CBOR_NON_MINIMAL'],
    ['an indefinite byte string', '5f4101ff', 'CBOR_INDEFINITE'],
    ['an indefinite text string', '7f6161ff', 'CBOR_INDEFINITE'],
    ['an indefinite array', '9f01ff', 'CBOR_INDEFINITE'],
    ['an indefinite map', 'bfff', 'CBOR_INDEFINITE'],
    ['a tag', 'c000', 'CBOR_TAG'],
    ['a tag inside', '81c000', 'CBOR_TAG'],
    ['a lone continuation byte', '6180', 'CBOR_UTF8'],
    ['an overlong encoding', '62c080', 'CBOR_UTF8'],
    ['a surrogate', '63eda080', 'CBOR_UTF8'],
    ['a truncated sequence', '61c3', 'CBOR_UTF8'],
    ['a half float', 'f93c00', 'CBOR_FLOAT'],
    ['a single float', 'fa3f800000', 'CBOR_FLOAT'],
    ['a double float', 'fb3ff0000000000000', 'CBOR_FLOAT'],
    ['undefined', 'f7', 'CBOR_SIMPLE_VALUE'],
    ['an unassigned simple value', 'e0', 'CBOR_SIMPLE_VALUE'],
    ['a simple value in two bytes', 'f8ff', 'CBOR_SIMPLE_VALUE'],
    ['a reserved length', '1c', 'CBOR_RESERVED'],
    ['a break at the top', 'ff', 'CBOR_BREAK'],
    ['a break in an array', '81ff', 'CBOR_BREAK'],
    ['a break as a key', 'a1ff00', 'CBOR_BREAK'],
    ['a key of bytes', 'a1410100', 'CBOR_KEY_TYPE'],
    ['a key that is an array', 'a18000', 'CBOR_KEY_TYPE'],
    ['a key that is null', 'a1f600', 'CBOR_KEY_TYPE'],
    ['nothing', '', 'CBOR_TRUNCATED'],
    ['bytes longer than the input', '420102'.slice(0, 4), 'CBOR_TRUNCATED'],
    ['bytes of nearly 2^64', '5bffffffffffffffff', 'CBOR_TRUNCATED'],
    ['an array of 2^32-1', '9affffffff00', 'CBOR_TRUNCATED'],
    ['a map of 2^53', 'bb0020000000000000', 'CBOR_TRUNCATED'],
    ['a map of more entries than half the rest', 'a2000102', 'CBOR_TRUNCATED'],
  ])('refuses %s', (_name, hex, code) => {
    expect(refusal(() => decodeHex(hex))).toBe(code);
  });

  test('takes an indefinite map only where it is asked to', () => {
    const outer = 'bf616101ff';
    const inner = 'a16161bf616201ff';
    expect(decodeHex(outer, { indefiniteMaps: 'top-level' })).toEqual(new Map([['a', 1]]));
    expect(refusal(() => decodeHex(inner, { indefiniteMaps: 'top-level' }))).toBe('CBOR_INDEFINITE');
    expect(decodeHex(inner, { indefiniteMaps: 'anywhere' })).toEqual(new Map([['a', new Map([['b', 1]])]]));
    expect(refusal(() => decodeHex(inner))).toBe('CBOR_INDEFINITE');
  });

  test('refuses an indefinite map without its break, or with a key and no value', () => {
    const options = { indefiniteMaps: 'top-level' } as const;
    expect(refusal(() => decodeHex('bf616101', options))).toBe('CBOR_TRUNCATED');
    expect(refusal(() => decodeHex('bf6161ff', options))).toBe('CBOR_BREAK');
    expect(refusal(() => decodeHex('bf616101616102ff', options))).toBe('CBOR_DUPLICATE_KEY');
    expect(refusal(() => decodeHex('bfffff', options))).toBe('CBOR_TRAILING_BYTES');
  });

  test('takes the one tag that was asked for, outermost and once', () => {
    expect(decodeHex('d281f6', { topLevelTag: 18 })).toEqual([null]);
    expect(decodeHex('81f6', { topLevelTag: 18 })).toEqual([null]);
    expect(refusal(() => decodeHex('d181f6', { topLevelTag: 18 }))).toBe('CBOR_TAG');
    expect(refusal(() => decodeHex('d2d281f6', { topLevelTag: 18 }))).toBe('CBOR_TAG');
    expect(refusal(() => decodeHex('81d2f6', { topLevelTag: 18 }))).toBe('CBOR_TAG');
    expect(refusal(() => decodeHex('d81281f6', { topLevelTag: 18 }))).toBe('CBOR_NON_MINIMAL');
  });

  test('refuses a nesting bomb at the limit that was set', () => {
    expect(decodeHex('818180', { maxDepth: 3 })).toEqual([[[]]]);
    expect(refusal(() => decodeHex('81818180', { maxDepth: 3 }))).toBe('CBOR_TOO_DEEP');
    expect(refusal(() => decodeHex('a100a100a0', { maxDepth: 2 }))).toBe('CBOR_TOO_DEEP');
    expect(refusal(() => decodeHex('80', { maxDepth: 0 }))).toBe('CBOR_TOO_DEEP');
    const bomb = new Uint8Array(4096).fill(0x81);
    expect(refusal(() => decodeCbor(bomb, { maxBytes: 4096, maxDepth: MAX_CBOR_DEPTH }))).toBe(
      'CBOR_TOO_DEEP',
    );
  });

  test('refuses more bytes and more items than the limits', () => {
    expect(refusal(() => decodeHex('83010203', { maxBytes: 3 }))).toBe('CBOR_TOO_LARGE');
    expect(decodeHex('83010203', { maxBytes: 4, maxItems: 4 })).toEqual([1, 2, 3]);
    expect(refusal(() => decodeHex('83010203', { maxItems: 3 }))).toBe('CBOR_TOO_MANY_ITEMS');
    expect(refusal(() => decodeHex('a10102', { maxItems: 2 }))).toBe('CBOR_TOO_MANY_ITEMS');
  });

  test.each([
    { maxBytes: 0 },
    { maxDepth: -1 },
    { maxDepth: MAX_CBOR_DEPTH + 1 },
    { maxItems: 0 },
    { maxBytes: NaN },
  ])('throws RangeError for the limits %o', (limits) => {
    expect(() => decodeHex('00', limits)).toThrow(RangeError);
  });

  test('gives byte strings as plain views of the input, also of a Buffer', () => {
    const input = Buffer.from('43010203', 'hex');
    const bytes = decodeCbor(input, LIMITS);
    if (!(bytes instanceof Uint8Array)) throw new TypeError('not bytes');
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect([...bytes]).toEqual([1, 2, 3]);
    input.fill(0);
    expect([...bytes]).toEqual([0, 0, 0]);
  });
});

describe('decodeCborObject', () => {
  test('gives objects without a prototype', () => {
    const object = decodeCborObject(encodeCbor({ a: [{ b: 1 }], toString: 2 }), LIMITS);
    expect(Object.getPrototypeOf(object)).toBeNull();
    expect(object['toString']).toBe(2);
    expect(object['constructor']).toBeUndefined();
    expect(JSON.stringify(object)).toBe('{"a":[{"b":1}],"toString":2}');
  });

  test('refuses keys that are not text, __proto__, and anything but a map', () => {
    expect(refusal(() => decodeCborObject(encodeCbor(new Map([[1, 2]])), LIMITS))).toBe('CBOR_KEY_TYPE');
    const inner = new Map([['a', new Map([['__proto__', 1]])]]);
    expect(refusal(() => decodeCborObject(encodeCbor(inner), LIMITS))).toBe('CBOR_FORBIDDEN_KEY');
    expect(refusal(() => decodeCborObject(encodeCbor([]), LIMITS))).toBe('CBOR_WRONG_TYPE');
    expect(toPlainCbor([1, null])).toEqual([1, null]);
  });
});

describe('encodeCbor', () => {
  test.each([
    [0, '00'],
    [-0, '00'],
    [255, '18ff'],
    [2 ** 32 - 1, '1affffffff'],
    [2 ** 32, '1b0000000100000000'],
    [-(2 ** 32), '3affffffff'],
    [-(2 ** 32) - 1, '3b0000000100000000'],
    [7n, '07'],
    [-1n, '20'],
    [2n ** 64n - 1n, '1bffffffffffffffff'],
    [-(2n ** 64n), '3bffffffffffffffff'],
    [Buffer.from('00ff', 'hex'), '4200ff'],
    [{ b: 1, a: [true, null] }, 'a2616201616182f5f6'],
    [new Map([[-1, 'x']]), 'a1206178'],
  ])('writes %s as %s', (value, hex) => {
    expect(Buffer.from(encodeCbor(value)).toString('hex')).toBe(hex);
  });

  test.each([
    ['a float', 1.5],
    ['an unsafe number', 2 ** 53],
    ['an integer of 65 bits', 2n ** 64n],
    ['a lone surrogate', '\ud800'],
    ['undefined', undefined],
    ['a member that is undefined', { a: undefined }],
    ['a class instance', new Date(0)],
    ['a function', () => 0],
    ['a key that is null', new Map([[null, 1]])],
    ['the same key as number and bigint', new Map<number | bigint, number>([[1, 1], [1n, 2]])], // prettier-ignore
  ])('throws TypeError for %s', (_name, value) => {
    expect(() => encodeAnything(value)).toThrow(TypeError);
  });

  test('throws TypeError for a value that contains itself', () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => encodeAnything(loop)).toThrow(TypeError);
  });

  test('gives bytes of their own, with nothing else in their buffer', () => {
    const encoded = encodeCbor({ secret: 'x'.repeat(5000) });
    expect(encoded.byteLength).toBe(encoded.buffer.byteLength);
    expect(Object.getPrototypeOf(encoded)).toBe(Uint8Array.prototype);
  });
});
