import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { measureHoldings } from '../support/leaks.ts';

describe('bytes that come in pieces', () => {
  it('are what they were in one piece, up to the maximum', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.nat({ max: 400 }), (pieces, maxBytes) => {
        const collected = new ByteCollector(maxBytes);
        const taken: Uint8Array[] = [];
        for (const piece of pieces) {
          const fits = Buffer.concat(taken).length + piece.length <= maxBytes;
          expect(collected.add(Uint8Array.from(piece))).toBe(fits);
          if (fits) taken.push(piece);
        }
        expect(Buffer.compare(collected.bytes(), Buffer.concat(taken))).toBe(0);
        expect(collected.length).toBe(Buffer.concat(taken).length);
      }),
    );
  });

  it('are not copied when they are one', () => {
    const piece = Buffer.from('secret');
    const collected = new ByteCollector(6);
    collected.add(piece);
    collected.bytes().fill(0);
    expect([...piece]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('leave no copy behind when the buffer grows', () => {
    const piece = Buffer.from('secret');
    const collected = new ByteCollector(64);
    collected.add(piece);
    collected.add(Buffer.from('x'));
    expect([...piece]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(collected.bytes().toString()).toBe('secretx');
  });

  it('take twice their size at most, when each is one byte', async () => {
    const bytes = 2 ** 20;
    const collected = new ByteCollector(2 ** 24);
    const before = await measureHoldings();
    for (let count = 0; count < bytes; count += 1) collected.add(Uint8Array.of(1));
    const after = await measureHoldings();
    expect(collected.length).toBe(bytes);
    expect(after.bytes - before.bytes).toBeLessThan(3 * bytes);
  });
});
