import { duplexPair } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FrameError, FrameStream, encodeFrame } from '../../../shared/frames/index.ts';
import { MAX_FRAME_BYTES } from '../../../shared/frames/frame-codec.ts';
import { controlRequestSchema, controlResponseSchema } from '../../../shared/protocol/control.ts';

const LIMIT = 64 * 1024;
const SOON = { timeoutMs: 30_000 };
const anything = z.record(z.string(), z.unknown());

function streamOf(pieces: readonly Uint8Array[]): FrameStream {
  const [duplex, far] = duplexPair();
  for (const piece of pieces) if (piece.length > 0) far.write(piece);
  far.end();
  return new FrameStream(duplex, { maxBytes: LIMIT });
}

const body = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 12 }).filter((key) => key !== '__proto__'),
  fc.oneof(
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.nat()),
  ),
);

describe('a frame stream fed with anything', () => {
  test('gives back every value, however the bytes are cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(40)),
        async (values, cuts) => {
          let rest: Uint8Array = Buffer.concat(values.map((value) => encodeFrame(value, LIMIT)));
          const pieces: Uint8Array[] = [];
          while (rest.length > 0) {
            const cut = 1 + (cuts.next().value ?? 0);
            pieces.push(rest.subarray(0, cut));
            rest = rest.subarray(cut);
          }
          const frames = streamOf(pieces);
          for (const value of values) expect(await frames.read(anything, SOON)).toEqual(value);
          await expect(frames.read(anything, SOON)).rejects.toMatchObject({ code: 'FRAME_END' });
        },
      ),
      { numRuns: 200 },
    );
  });

  test('meets random bytes with a coded error and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const outcome = await streamOf([bytes])
          .read(controlRequestSchema, SOON)
          .catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(FrameError);
      }),
      { numRuns: 500 },
    );
  });

  test('meets a flipped bit with another value or a coded error', async () => {
    const frame = encodeFrame(
      {
        type: 'store-read',
        record: { revision: 7, bytes: Uint8Array.from({ length: 40 }, (_, index) => index) },
      },
      MAX_FRAME_BYTES,
    );
    const honest = await streamOf([frame]).read(controlResponseSchema, SOON);
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const flipped = Uint8Array.from(frame);
      const index = bit >> 3;
      flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit & 7));
      const outcome: unknown = await streamOf([flipped])
        .read(controlResponseSchema, SOON)
        .catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(FrameError);
      else expect(outcome).not.toEqual(honest);
    }
  });
});
