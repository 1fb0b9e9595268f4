import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';

/** Methods that older browsers lack. */
const NATIVE = [
  [Uint8Array, 'fromBase64'],
  [Uint8Array.prototype, 'toBase64'],
] as const;

describe.each(['with', 'without'])('base64 %s the methods of ECMAScript 2026', (variant) => {
  const kept = NATIVE.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name));
  beforeAll(() => {
    if (variant === 'without') for (const [owner, name] of NATIVE) Reflect.deleteProperty(owner, name);
  });
  afterAll(() => {
    NATIVE.forEach(([owner, name], index) => Object.defineProperty(owner, name, kept[index] ?? {}));
  });

  it('is what Node writes, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(decodeBase64(text)).toEqual(bytes);
      }),
    );
    const long = new Uint8Array(100_001).fill(0xfb);
    const text = encodeBase64(long);
    expect(text === Buffer.from(long).toString('base64')).toBe(true);
    expect(Buffer.from(decodeBase64(text) ?? []).equals(long)).toBe(true);
  });

  it('is taken in its one canonical form alone', () => {
    const incomplete = ['AAA', 'AA', 'A', 'AA=', 'AAA==', 'AA==AAAA', '===='];
    const other = ['AB==', 'AAB=', '_-__', 'AAAA\n', ' AAAA'];
    expect([...incomplete, ...other].filter((text) => decodeBase64(text) !== undefined)).toEqual([]);
    expect(decodeBase64('')).toEqual(new Uint8Array());
  });
});
