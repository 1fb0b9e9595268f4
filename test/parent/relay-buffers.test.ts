import { describe, expect, test } from 'vitest';
import { giveBuffer, takeBuffer } from '../../parent/common/relay-buffers.ts';

const KIBIBYTE = 1_024;

describe('the buffers of relays', () => {
  test('are small for who reads little, and large for who fills them', () => {
    const sizes = [
      takeBuffer(0, 0),
      takeBuffer(100, 8 * KIBIBYTE),
      takeBuffer(8 * KIBIBYTE, 8 * KIBIBYTE),
      takeBuffer(9 * KIBIBYTE, 256 * KIBIBYTE),
      takeBuffer(100, 256 * KIBIBYTE),
    ].map((buffer) => {
      giveBuffer(buffer);
      return buffer.length / KIBIBYTE;
    });
    expect(sizes).toEqual([8, 8, 256, 256, 8]);
  });

  test('go round, and are nobody else’s while somebody has one', () => {
    const first = takeBuffer(0, 0);
    const second = takeBuffer(0, 0);
    expect(second.buffer).not.toBe(first.buffer);
    giveBuffer(first);
    expect(takeBuffer(0, 0)).toBe(first);
  });

  test('take 64 MiB at most where they are large, however many connections are busy', () => {
    const busy = Array.from({ length: 1_000 }, () => takeBuffer(256 * KIBIBYTE, 256 * KIBIBYTE));
    expect(busy.filter(({ length }) => length === 256 * KIBIBYTE)).toHaveLength(256);
    for (const buffer of busy) giveBuffer(buffer);
    const again = takeBuffer(256 * KIBIBYTE, 256 * KIBIBYTE);
    expect(again).toHaveLength(256 * KIBIBYTE);
    giveBuffer(again);
  });
});
