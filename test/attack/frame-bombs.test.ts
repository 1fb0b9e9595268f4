import { describe, expect, it } from 'vitest';
import {
  decodeFrame,
  encodeFrame,
  FRAME_LENGTH_BYTES,
  MAX_FRAME_ITEMS,
} from '../../shared/frames/frame-codec.ts';
import {
  controlResponseSchema,
  controlRequestSchema,
  MAX_CONTROL_FRAME_BYTES,
  MAX_LISTED_RECORDS,
  MAX_LOG_ENTRIES,
  MAX_WRITES,
} from '../../shared/protocol/control.ts';

/** A list of records, of `count` items that take one byte each. */
function makeList(item: string, count: number): Uint8Array {
  const head = Buffer.from('01a264747970656a73746f72652d6c697374677265636f7264739a', 'hex');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(count);
  return Buffer.concat([head, length, Buffer.alloc(count, item, 'hex')]);
}

describe('a frame that is short on the wire and huge in memory', () => {
  it.each([
    ['empty maps', 'a0'],
    ['empty lists', '80'],
    ['integers', '00'],
    ['empty texts', '60'],
  ])('is refused before its items are made: %s', (_, item) => {
    const frame = makeList(item, MAX_CONTROL_FRAME_BYTES - 64);
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeFrame(frame, controlResponseSchema)).toThrow(
      expect.objectContaining({
        code: 'FRAME_BODY_MALFORMED',
        cause: expect.objectContaining({ code: 'CBOR_TOO_MANY_ITEMS' }),
      }),
    );
    // Four million empty maps took 1.7 GB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 2 ** 20);
  });

  it('leaves room for as many records as one answer lists', () => {
    const records = Array.from({ length: MAX_LISTED_RECORDS }, (_, index) => ({
      table: 'keys',
      id: `key-${index}`,
      revision: index,
    }));
    const frame = encodeFrame({ type: 'store-list', records }, MAX_CONTROL_FRAME_BYTES);
    expect(decodeFrame(frame.subarray(FRAME_LENGTH_BYTES), controlResponseSchema)).toEqual({
      type: 'store-list',
      records,
    });
    expect(MAX_FRAME_ITEMS).toBeGreaterThan(7 * MAX_LISTED_RECORDS + 5);
  });

  it('leaves room for as many writes as one commit may have', () => {
    const writes = Array.from({ length: MAX_WRITES }, (_, index) => ({
      table: 'keys',
      id: `key-${index}`,
      expectedRevision: index,
      bytes: new Uint8Array(200),
    }));
    const log = {
      start: 2 ** 40,
      entries: Array.from({ length: MAX_LOG_ENTRIES }, () => new Uint8Array(200)),
    };
    const frame = encodeFrame({ type: 'store-commit', writes, log }, MAX_CONTROL_FRAME_BYTES);
    expect(decodeFrame(frame.subarray(FRAME_LENGTH_BYTES), controlRequestSchema)).toMatchObject({
      type: 'store-commit',
    });
    expect(MAX_FRAME_ITEMS).toBeGreaterThan(9 * MAX_WRITES + 5 + MAX_LOG_ENTRIES + 6);
  });
});
