import { Decoder, Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCbor, encodeCbor, toPlainCbor, type CborEncodable } from '../../shared/cbor/index.ts';

const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
const encoder = new Encoder({
  mapsAsObjects: false,
  useRecords: false,
  variableMapSize: true,
  tagUint8Array: false,
});
const limits = { maxBytes: 1_000_000, maxDepth: 16 };

const leaf = fc.oneof(
  fc.integer(),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 64 }),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.letrec<{ value: CborEncodable }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value;

/** What both decoders are brought to, so that only the values are compared. */
function normalise(item: unknown): unknown {
  if (item instanceof Uint8Array) return { bytes: Buffer.from(item).toString('hex') };
  if (Array.isArray(item)) return item.map(normalise);
  if (item instanceof Map) return [...item].map(([key, each]) => [key, normalise(each)]);
  return typeof item === 'bigint' ? Number(item) : item;
}

describe('CBOR beside cbor-x', () => {
  it('reads what we have written as the same value', () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = encodeCbor(original);
        expect(normalise(decoder.decode(bytes))).toEqual(normalise(decodeCbor(bytes, limits)));
      }),
    );
  });

  it('writes integers, text and bytes that we read as the same value', () => {
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 20 }), (original) => {
        const bytes = new Uint8Array(encoder.encode(original));
        expect(normalise(toPlainCbor(decodeCbor(bytes, limits)))).toEqual(normalise(original));
      }),
    );
  });

  it('takes a duplicate key that we refuse', () => {
    const duplicate = Buffer.from('a2616101616102', 'hex');
    expect(decoder.decode(duplicate)).toEqual(new Map([['a', 2]]));
    expect(() => decodeCbor(duplicate, limits)).toThrow(
      expect.objectContaining({ code: 'CBOR_DUPLICATE_KEY' }),
    );
  });
});
