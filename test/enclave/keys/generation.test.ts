import { describe, expect, it } from 'vitest';
import { type Curves, generateKey, KeyError } from '../../../enclave/keys/index.ts';
import { createNobleCurves } from '../../../local/noble-curves.ts';

/** Curves that take the first `count` draws for no scalars. */
function refuseDraws(count: number): { readonly curves: Curves; readonly drawn: Set<string> } {
  const noble = createNobleCurves();
  const drawn = new Set<string>();
  const holdP256 = (secret: Uint8Array) => {
    drawn.add(Buffer.from(secret).toString('hex'));
    return drawn.size > count ? noble.holdP256(secret) : undefined;
  };
  return { curves: { ...noble, holdP256 }, drawn };
}

describe('a key that is made', () => {
  it('is drawn anew where the draw is no scalar of the curve', () => {
    const { curves, drawn } = refuseDraws(3);
    expect(generateKey(curves, 'p256').publicKey).toHaveLength(33);
    expect(drawn.size).toBe(4);
  });

  it('is given up after eight draws, which no accident explains', () => {
    const { curves, drawn } = refuseDraws(Number.POSITIVE_INFINITY);
    expect(() => generateKey(curves, 'p256')).toThrow(KeyError);
    expect(drawn.size).toBe(8);
  });
});
