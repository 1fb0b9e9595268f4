import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodePublicKey,
  parsePublicKey,
  PUBLIC_KEY_TYPES,
  type PublicKeyType,
} from '../../shared/public-keys.ts';

const make = (type: PublicKeyType) => {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').publicKey;
  if (type.startsWith('rsa-'))
    return generateKeyPairSync('rsa', { modulusLength: Number(type.slice(4)) }).publicKey;
  return generateKeyPairSync('ec', {
    namedCurve: { p256: 'P-256', p384: 'P-384' }[type as 'p256'] ?? 'secp256k1',
  }).publicKey;
};
const spkis = new Map(
  PUBLIC_KEY_TYPES.filter((type) => type !== 'rsa-4096').map((type) => [
    type,
    make(type).export({ format: 'der', type: 'spki' }),
  ]),
);

describe('a SubjectPublicKeyInfo', () => {
  it.each([...spkis])('of %s is read and written as OpenSSL writes it', (type, der) => {
    const parsed = parsePublicKey(der);
    expect(parsed?.type).toBe(type);
    if (parsed === undefined) throw new TypeError('expected a key');
    expect(Buffer.from(encodePublicKey(parsed))).toEqual(der);
    // OpenSSL reads what was written.
    createPublicKey({ key: Buffer.from(encodePublicKey(parsed)), format: 'der', type: 'spki' });
  });

  it.each([...spkis])(
    'of %s is refused cut short, lengthened, or with a byte before the key changed',
    (type, der) => {
      for (let length = 0; length < der.length; length += 1)
        expect(parsePublicKey(der.subarray(0, length))).toBeUndefined();
      expect(parsePublicKey(Buffer.concat([der, Buffer.of(0)]))).toBeUndefined();
      const header = { ed25519: 12, p256: 27, p384: 24, secp256k1: 24 }[type as 'p256'] ?? 33;
      fc.assert(
        fc.property(fc.nat(header - 1), fc.integer({ min: 1, max: 255 }), (at, xor) => {
          const changed = new Uint8Array(der);
          changed[at] = (changed[at] ?? 0) ^ xor;
          return parsePublicKey(changed) === undefined;
        }),
      );
    },
  );

  it.each(['p256', 'p384', 'secp256k1'] as const)('of %s holds a point of the curve alone', (type) => {
    const der = spkis.get(type) ?? Buffer.alloc(0);
    const changed = new Uint8Array(der);
    changed[der.length - 1] = (changed[der.length - 1] ?? 0) ^ 1;
    expect(parsePublicKey(changed)).toBeUndefined();
    const zeros = new Uint8Array(der);
    zeros.fill(0, -64);
    expect(parsePublicKey(zeros)).toBeUndefined();
    expect(() => encodePublicKey({ type, publicKey: new Uint8Array(33) })).toThrow(RangeError);
  });

  it('of RSA has a modulus of its whole length that is odd, and the exponent 65537', () => {
    const der = spkis.get('rsa-2048') ?? Buffer.alloc(0);
    const short = new Uint8Array(der);
    short[33] = (short[33] ?? 0) & 0x7f;
    const even = new Uint8Array(der);
    even[der.length - 6] = (even[der.length - 6] ?? 0) & 0xfe;
    for (const changed of [short, even]) expect(parsePublicKey(changed)).toBeUndefined();
    const three = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey;
    expect(parsePublicKey(three.export({ format: 'der', type: 'spki' }))).toBeUndefined();
    expect(() => encodePublicKey({ type: 'rsa-3072', publicKey: der })).toThrow(RangeError);
  });
});
