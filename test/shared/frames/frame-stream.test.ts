import { once } from 'node:events';
import { Duplex, duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FrameError, FrameStream, MAX_FRAME_BYTES, encodeFrame } from '../../../shared/frames/index.ts';

const schema = z.strictObject({ name: z.string(), data: z.instanceof(Uint8Array), more: z.array(z.int()) });
const value = { name: 'holdfast', data: Uint8Array.of(1, 2, 3), more: [1, 256, 70_000] };
const LIMIT = 1024;
const SOON = { timeoutMs: 30_000 };

/** A frame stream on one end of a pair; `far` is the end that a test feeds it through. */
function openStream(maxBytes = LIMIT): { far: Duplex; duplex: Duplex; frames: FrameStream } {
  const [duplex, far] = duplexPair();
  duplex.on('error', () => {});
  far.on('error', () => {});
  return { far, duplex, frames: new FrameStream(duplex, { maxBytes }) };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
  return 'no error';
}

function rawFrame(body: Uint8Array | string, version = 1): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'hex') : Buffer.from(body);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length + 1, 0);
  head[4] = version;
  return Buffer.concat([head, bytes]);
}

describe('a frame stream', () => {
  test('reads what it wrote', async () => {
    const { far, frames } = openStream();
    await frames.write(value, SOON);
    far.write(far.read());
    expect(await frames.read(schema, SOON)).toEqual(value);
  });

  test('reads several frames that arrive in one piece', async () => {
    const { far, frames } = openStream();
    const one = encodeFrame(value, LIMIT);
    far.end(Buffer.concat([one, one, one]));
    for (let count = 0; count < 3; count += 1) expect(await frames.read(schema, SOON)).toEqual(value);
    expect(await codeOf(frames.read(schema, SOON))).toBe('FRAME_END');
  });

  test('reads a frame that arrives byte by byte', async () => {
    const { far, frames } = openStream();
    const reading = frames.read(schema, SOON);
    for (const byte of encodeFrame(value, LIMIT)) {
      far.write(Buffer.of(byte));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(await reading).toEqual(value);
  });

  test('leaves every byte behind the first frame to whom the duplex is given back', async () => {
    const { far, frames } = openStream();
    far.write(Buffer.concat([encodeFrame(value, LIMIT), Buffer.from('the rest')]));
    await frames.read(schema, SOON);
    const duplex = frames.release();
    far.end(' of it');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const chunks: Buffer[] = [];
    duplex.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(duplex, 'end');
    expect(String(Buffer.concat(chunks))).toBe('the rest of it');
    await expect(frames.read(schema, SOON)).rejects.toThrow(TypeError);
    await expect(frames.write(value, SOON)).rejects.toThrow(TypeError);
  });

  test('leaves the end of the stream to whom the duplex is given back', async () => {
    const { far, frames } = openStream();
    far.end(encodeFrame(value, LIMIT));
    await frames.read(schema, SOON);
    const duplex = frames.release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(duplex.readableEnded).toBe(false);
    duplex.resume();
    await once(duplex, 'end');
    expect(duplex.readableEnded).toBe(true);
  });

  test('sees the end that comes after an exchange', async () => {
    const { far, frames } = openStream();
    const peer = new FrameStream(far, { maxBytes: LIMIT });
    for (let count = 0; count < 3; count += 1) {
      const reading = frames.read(schema, SOON);
      await peer.write(value, SOON);
      await reading;
      const answer = peer.read(schema, SOON);
      await frames.write(value, SOON);
      await answer;
    }
    const last = codeOf(frames.read(schema, SOON));
    far.end();
    expect(await last).toBe('FRAME_END');
  });

  test('says whether bytes lie there that nobody asked for', async () => {
    const { far, frames } = openStream();
    const one = encodeFrame(value, LIMIT);
    far.write(Buffer.concat([one, one]));
    await frames.read(schema, SOON);
    expect(frames.hasUnread).toBe(true);
    await frames.read(schema, SOON);
    expect(frames.hasUnread).toBe(false);
  });

  test('calls every prefix of a frame truncated, and none of them a frame', async () => {
    const frame = encodeFrame(value, LIMIT);
    for (let length = 0; length < frame.length; length += 1) {
      const { far, frames } = openStream();
      far.end(frame.subarray(0, length));
      expect(await codeOf(frames.read(schema, SOON))).toBe(length === 0 ? 'FRAME_END' : 'FRAME_TRUNCATED');
    }
  });

  test('refuses a frame longer than its limit by its length alone', async () => {
    for (const length of [LIMIT - 3, LIMIT, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const { far, frames } = openStream();
      const head = Buffer.alloc(4);
      head.writeUInt32BE(length);
      far.write(head);
      expect(await codeOf(frames.read(schema, SOON))).toBe('FRAME_TOO_LARGE');
    }
  });

  test('takes memory for what has come, not for what was announced', async () => {
    const { far, frames } = openStream(MAX_FRAME_BYTES);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(MAX_FRAME_BYTES - 4);
    const before = process.memoryUsage().arrayBuffers;
    far.write(head);
    const reading = codeOf(frames.read(schema, { timeoutMs: 50 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MAX_FRAME_BYTES / 2);
    expect(await reading).toBe('FRAME_TIMEOUT');
  });

  test.each([
    ['no version', '00000000', 'FRAME_TOO_SHORT'],
    ['no body', '0000000101', 'FRAME_TOO_SHORT'],
  ])('refuses a frame with %s', async (_name, hex, code) => {
    const { far, frames } = openStream();
    far.end(Buffer.from(hex, 'hex'));
    expect(await codeOf(frames.read(schema, SOON))).toBe(code);
  });

  test.each([0, 2, 255])('refuses a frame of version %i', async (version) => {
    const { far, frames } = openStream();
    far.end(rawFrame('a0', version));
    expect(await codeOf(frames.read(schema, SOON))).toBe('FRAME_VERSION_UNKNOWN');
  });

  test.each([
    ['nested too deep', 'a16161' + '81'.repeat(9) + '01'],
    ['with a trailing byte', 'a000'],
    ['of indefinite length', 'bfff'],
    ['with the same key twice', 'a2616101616102'],
    ['with a float', 'a16161f93c00'],
    ['with a tag', 'a16161c001'],
    ['that is no map', '80'],
    ['with a key that is no text', 'a10101'],
    ['whose text is not UTF-8', 'a1616161ff'],
  ])('refuses a body %s', async (_name, hex) => {
    const { far, frames } = openStream();
    far.end(rawFrame(hex));
    expect(await codeOf(frames.read(schema, SOON))).toBe('FRAME_BODY_MALFORMED');
  });

  test('refuses a body of another shape, and does not show it', async () => {
    const { far, frames } = openStream();
    far.end(encodeFrame({ name: 'hunter2', data: 'hunter2', more: [] }, LIMIT));
    const error = await frames.read(schema, SOON).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FrameError);
    expect(error).toMatchObject({ code: 'FRAME_SCHEMA_MISMATCH', details: { paths: ['data'] } });
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  test('does not read on after a frame that it could not take', async () => {
    const { far, frames } = openStream();
    far.write(rawFrame('a0', 9));
    far.write(encodeFrame(value, LIMIT));
    expect(await codeOf(frames.read(schema, SOON))).toBe('FRAME_VERSION_UNKNOWN');
    expect(await codeOf(frames.read(schema, SOON))).toBe('FRAME_VERSION_UNKNOWN');
  });

  test('gives up reading at its deadline', async () => {
    const { far, frames } = openStream();
    far.write(encodeFrame(value, LIMIT).subarray(0, 7));
    expect(await codeOf(frames.read(schema, { timeoutMs: 30 }))).toBe('FRAME_TIMEOUT');
  });

  test('waits for a first byte longer than for the rest', async () => {
    const { far, frames } = openStream();
    const reading = codeOf(frames.read(schema, { timeoutMs: 30, idleTimeoutMs: Infinity }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    far.write(Buffer.of(0));
    expect(await reading).toBe('FRAME_TIMEOUT');
    const idle = openStream();
    expect(await codeOf(idle.frames.read(schema, { timeoutMs: 2_000, idleTimeoutMs: 30 }))).toBe(
      'FRAME_TIMEOUT',
    );
  });

  test('stops reading when told to', async () => {
    const { frames } = openStream();
    const controller = new AbortController();
    const reading = codeOf(frames.read(schema, { ...SOON, signal: controller.signal }));
    controller.abort();
    expect(await reading).toBe('FRAME_ABORTED');
    expect(await codeOf(openStream().frames.read(schema, { ...SOON, signal: controller.signal }))).toBe(
      'FRAME_ABORTED',
    );
  });

  test('says when the stream broke', async () => {
    const { duplex, frames } = openStream();
    const reading = codeOf(frames.read(schema, SOON));
    duplex.destroy(new Error('reset'));
    expect(await reading).toBe('FRAME_STREAM_FAILED');
    expect(await codeOf(frames.write(value, SOON))).toBe('FRAME_STREAM_FAILED');
  });

  test('gives up writing to a peer that takes nothing, and destroys the stream', async () => {
    const duplex = new Duplex({ read() {}, write() {} });
    const frames = new FrameStream(duplex, { maxBytes: LIMIT });
    expect(await codeOf(frames.write(value, { timeoutMs: 30 }))).toBe('FRAME_TIMEOUT');
    expect(duplex.destroyed).toBe(true);
  });

  test('writes nothing of a frame longer than its limit', async () => {
    const { far, frames } = openStream(64);
    expect(await codeOf(frames.write({ data: new Uint8Array(64) }, SOON))).toBe('FRAME_TOO_LARGE');
    expect(far.readableLength).toBe(0);
    await frames.write({ data: new Uint8Array(8) }, SOON);
    expect(far.readableLength).toBeGreaterThan(8);
  });

  test('leaves no listener and no timer behind', async () => {
    const { far, duplex, frames } = openStream();
    const before = duplex.eventNames().map((name) => [name, duplex.listenerCount(name)]);
    const controller = new AbortController();
    for (let count = 0; count < 20; count += 1) {
      const reading = frames.read(schema, { ...SOON, signal: controller.signal });
      far.write(encodeFrame(value, LIMIT));
      await reading;
      await frames.write(value, { ...SOON, signal: controller.signal });
    }
    expect(duplex.eventNames().map((name) => [name, duplex.listenerCount(name)])).toEqual(before);
  });

  test('is read by one caller at a time', async () => {
    const { far, frames } = openStream();
    const first = frames.read(schema, SOON);
    await expect(frames.read(schema, SOON)).rejects.toThrow(TypeError);
    far.write(encodeFrame(value, LIMIT));
    expect(await first).toEqual(value);
  });

  test.each([0, 4, 1.5, MAX_FRAME_BYTES + 1])('takes no limit of %s bytes', (maxBytes) => {
    expect(() => openStream(maxBytes)).toThrow(RangeError);
  });
});
