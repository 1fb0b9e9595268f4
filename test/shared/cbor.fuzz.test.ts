import { Decoder, Encoder } from 'cbor-x';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CborError,
  decodeCbor,
  encodeCbor,
  MAX_CBOR_DEPTH,
  type CborEncodable,
} from '../../shared/cbor/index.ts';

const LIMITS = { maxBytes: 1 << 20, maxDepth: MAX_CBOR_DEPTH };

const key = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger());
const { value } = fc.letrec<{ value: CborEncodable }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.bigInt(-(2n ** 64n), 2n ** 64n - 1n),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
    ),
    fc.array(tie('value'), { maxLength: 30 }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 30 })
      .map((all) => new Map(all)),
  ),
}));

/** The form that decoding gives back: bigints only where a number is not safe. */
function normalise(input: CborEncodable): unknown {
  if (typeof input === 'bigint') return Number.isSafeInteger(Number(input)) ? Number(input) : input;
  if (typeof input === 'number') return input + 0;
  if (Array.isArray(input)) return input.map(normalise);
  if (input instanceof Map)
    return new Map([...input].map(([name, item]) => [name === 0 ? 0 : name, normalise(item)]));
  return input;
}

function decodesOrRefuses(bytes: Uint8Array): boolean {
  try {
    decodeCbor(bytes, { ...LIMITS, indefiniteMaps: 'anywhere', topLevelTag: 18 });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(CborError);
    return false;
  }
}

describe('CBOR', () => {
  test('gives back what was encoded, and the same bytes again', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeCbor(input);
        const decoded = decodeCbor(bytes, LIMITS);
        expect(decoded).toEqual(normalise(input));
        expect(encodeCbor(decoded)).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('refuses every prefix of what it takes', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeCbor(input);
        const step = Math.ceil(bytes.length / 200);
        for (let end = 0; end < bytes.length; end += step) {
          expect(decodesOrRefuses(bytes.subarray(0, end))).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('meets a changed byte with a value or a coded refusal, and takes nothing that it would write otherwise', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (input, at, mask) => {
        const bytes = encodeCbor(input);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ mask;
        try {
          const decoded = decodeCbor(bytes, LIMITS);
          expect(encodeCbor(decoded)).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CborError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('meets arbitrary bytes with a value or a coded refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(typeof decodesOrRefuses(bytes)).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  test('is read by another implementation as by ours, and written by it in the same bytes', () => {
    const options = {
      useRecords: false,
      mapsAsObjects: false,
      variableMapSize: true,
      tagUint8Array: false,
    } as const;
    const decoder = new Decoder(options);
    const encoder = new Encoder(options);
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeCbor(input);
        const theirs: unknown = decoder.decode(bytes);
        expect(comparable(theirs)).toEqual(comparable(decodeCbor(bytes, LIMITS)));
        // It has no minimal form for integers beyond 32 bits.
        fc.pre(!hasLargeInteger(input));
        expect(Buffer.from(encoder.encode(input)).equals(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** Buffers and bigints as what they stand for. */
function comparable(item: unknown): unknown {
  if (item instanceof Uint8Array) return Buffer.from(item).toString('hex');
  if (typeof item === 'number') return BigInt(item);
  if (Array.isArray(item)) return item.map(comparable);
  if (item instanceof Map)
    return new Map([...item].map(([name, member]) => [comparable(name), comparable(member)]));
  return item;
}

function hasLargeInteger(item: CborEncodable): boolean {
  if (typeof item === 'bigint') return true;
  if (typeof item === 'number') return Math.abs(item) >= 2 ** 31 || Object.is(item, -0);
  if (Array.isArray(item)) return item.some(hasLargeInteger);
  return item instanceof Map && [...item].some((entry) => entry.some(hasLargeInteger));
}
