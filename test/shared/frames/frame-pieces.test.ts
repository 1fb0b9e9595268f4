import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { encodeFrame, FrameStream } from '../../../shared/frames/index.ts';
import { measureHoldings } from '../../support/leaks.ts';

const MAX_BYTES = 1024 * 1024;
const BYTES = 64 * 1024;

it('a frame that comes byte by byte is not kept byte by byte', async () => {
  const frame = encodeFrame({ bytes: new Uint8Array(BYTES).fill(7) }, MAX_BYTES);
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const read = new FrameStream(stream, { maxBytes: MAX_BYTES }).read(
    z.strictObject({ bytes: z.instanceof(Uint8Array) }),
    { timeoutMs: 60_000 },
  );
  const before = await measureHoldings();
  for (const byte of frame.subarray(0, -1)) {
    stream.push(Uint8Array.of(byte));
    await Promise.resolve();
    // Taken one by one, as the pieces of a slow sender are.
    while (stream.readableLength > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const after = await measureHoldings();
  expect(after.bytes - before.bytes).toBeLessThan(16 * BYTES);
  stream.push(frame.subarray(-1));
  expect((await read).bytes).toHaveLength(BYTES);
});
