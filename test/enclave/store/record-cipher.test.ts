import { hkdf } from '@noble/hashes/hkdf.js';
import { sha384 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveStoreKey } from '../../../enclave/store/index.ts';
import { openRecord, sealRecord } from '../../../enclave/store/record-cipher.ts';
import { encodeCbor } from '../../../shared/cbor/index.ts';

const NODE = { namespace: 'demo', environment: 'test', node: 1 };
const PASSWORD = new Uint8Array(32).fill(7);
const PLACE = { table: 'keys', id: 'hot', revision: 3 };
const key = deriveStoreKey(PASSWORD, NODE);
const plaintext = Buffer.from('forty-two bytes of what nobody else may see');
const sealed = sealRecord(key, PLACE, plaintext);

describe('the key of a sealed store', () => {
  it('is HKDF-SHA-384 (RFC 5869) of the password, for this node', () => {
    const info = encodeCbor(['holdfast sealed store', 1, 'demo', 'test', 1]);
    const expected = hkdf(sha384, PASSWORD, new Uint8Array(48), info, 32);
    expect(key.export()).toEqual(Buffer.from(expected));
  });

  it.each([
    ['namespace', { ...NODE, namespace: 'other' }],
    ['environment', { ...NODE, environment: 'other' }],
    ['number', { ...NODE, node: 2 }],
    ['way of cutting the same text in two', { ...NODE, namespace: 'demot', environment: 'est' }],
  ])('is another for another %s', (_, node) => {
    expect(deriveStoreKey(PASSWORD, node).equals(key)).toBe(false);
  });

  it('is another for another password', () => {
    expect(deriveStoreKey(new Uint8Array(32).fill(8), NODE).equals(key)).toBe(false);
  });

  it('leaves the password as it was, for its owner to clear', () => {
    const password = PASSWORD.slice();
    deriveStoreKey(password, NODE);
    expect(password).toEqual(PASSWORD);
  });
});

describe('a sealed record', () => {
  it('opens to what was sealed, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
        expect(openRecord(key, PLACE, sealRecord(key, PLACE, bytes))).toEqual(bytes);
      }),
    );
  });

  it('does not show its plaintext, and is another each time', () => {
    expect(Buffer.from(sealed).includes(plaintext)).toBe(false);
    expect(sealRecord(key, PLACE, plaintext)).not.toEqual(sealed);
  });

  it.each([
    ['table', { ...PLACE, table: 'shares' }],
    ['id', { ...PLACE, id: 'cold' }],
    ['revision', { ...PLACE, revision: 2 }],
    ['way of cutting the same name in two', { ...PLACE, table: 'keysh', id: 'ot' }],
  ])('does not open in the place of another %s', (_, place) => {
    expect(openRecord(key, place, sealed)).toBeUndefined();
  });

  it('does not open for another node or password', () => {
    expect(openRecord(deriveStoreKey(PASSWORD, { ...NODE, node: 2 }), PLACE, sealed)).toBeUndefined();
    expect(openRecord(deriveStoreKey(new Uint8Array(32), NODE), PLACE, sealed)).toBeUndefined();
  });

  it('does not open with any bit changed', () => {
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openRecord(key, PLACE, changed)).toBeUndefined();
    }
  });

  it('does not open truncated or with bytes after it', () => {
    for (let length = 0; length < sealed.length; length += 1) {
      expect(openRecord(key, PLACE, sealed.subarray(0, length))).toBeUndefined();
    }
    expect(openRecord(key, PLACE, Uint8Array.of(...sealed, 0))).toBeUndefined();
  });
});
