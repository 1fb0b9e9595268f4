import { randomBytes } from 'node:crypto';
import jsQR from 'jsqr';
import { encodeQR } from 'qr';
import { describe, expect, it } from 'vitest';
import { writeCodesPage } from '../../../cli/cold/codes-page.ts';
import { joinParts, splitIntoParts } from '../../../shared/cold/index.ts';

/** Reads a code as a camera would: squares of four pixels, by a decoder of others. */
function scan(part: string): string | undefined {
  const squares = encodeQR(part, 'raw', { ecc: 'medium', encoding: 'alphanumeric', border: 4 });
  const side = squares.length * 4;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      if (squares[y >> 2]?.[x >> 2] === true) pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  return jsQR(pixels, side, side)?.data;
}

describe('a page of codes', () => {
  const message = randomBytes(1_500);

  it('has a code for each part, and loads and runs nothing', () => {
    const page = writeCodesPage('Request to a cold node', message);
    expect(page.match(/<svg/g)).toHaveLength(splitIntoParts(message).length);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toContain('<script');
  });

  it('is read by another decoder as the parts that were written', () => {
    const scanned = splitIntoParts(message).map(scan);
    expect(joinParts(scanned.join('\n'), 64 * 1024)).toEqual(new Uint8Array(message));
  });
});
