import type { Duplex } from 'node:stream';
import type * as z from 'zod';
import { ByteCollector } from '../byte-collector.ts';
import type { CborEncodable } from '../cbor/index.ts';
import { Deadline } from './deadline.ts';
import { FrameError } from './errors.ts';
import {
  FRAME_LENGTH_BYTES,
  MAX_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  parseFrameLength,
} from './frame-codec.ts';

export interface FrameStreamOptions {
  /** The longest frame that is read or written, length field included; at most {@link MAX_FRAME_BYTES}. */
  readonly maxBytes: number;
}

export interface FrameDeadline {
  /** Milliseconds for a whole frame. In a read with `idleTimeoutMs` they start with the first byte. */
  readonly timeoutMs: number;
  /** Milliseconds until the first byte; `Infinity` waits as long as the stream lives. Reading only. */
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads and writes frames on a duplex. No byte is taken from the duplex beyond the frames returned, so that after
 * {@link FrameStream.release} the duplex continues right behind them. After a failed read there is no known frame
 * boundary: every further read throws the same error, and the caller destroys the duplex, after sending a last response
 * where the protocol has one.
 */
export class FrameStream {
  readonly #stream: Duplex;
  readonly #maxBytes: number;
  #failure: FrameError | undefined;
  #reading = false;
  #released = false;

  /** @throws RangeError for a `maxBytes` out of range */
  constructor(stream: Duplex, { maxBytes }: FrameStreamOptions) {
    if (!Number.isInteger(maxBytes) || maxBytes <= FRAME_LENGTH_BYTES || maxBytes > MAX_FRAME_BYTES) {
      throw new RangeError('maxBytes must be an integer up to MAX_FRAME_BYTES');
    }
    this.#stream = stream;
    this.#maxBytes = maxBytes;
  }

  /** True where bytes have arrived that no read has taken. */
  get hasUnread(): boolean {
    return this.#stream.readableLength > 0;
  }

  /**
   * Reads the next frame. Byte strings in it are views of the frame's own buffer.
   * @throws FrameError any of its codes
   */
  async read<T>(schema: z.ZodType<T>, deadline: FrameDeadline): Promise<T> {
    if (this.#reading || this.#released) throw new TypeError('the frame stream is read already, or released');
    if (this.#failure !== undefined) throw this.#failure;
    this.#reading = true;
    try {
      return await this.#readFrame(schema, deadline);
    } catch (error) {
      if (error instanceof FrameError) this.#failure = error;
      throw error;
    } finally {
      this.#reading = false;
    }
  }

  async #readFrame<T>(schema: z.ZodType<T>, limits: FrameDeadline): Promise<T> {
    using deadline = new Deadline(limits.signal);
    deadline.arm(limits.idleTimeoutMs ?? limits.timeoutMs);
    if (!(await waitForBytes(this.#stream, deadline)))
      throw new FrameError('FRAME_END', 'the stream has ended');
    if (limits.idleTimeoutMs !== undefined) deadline.arm(limits.timeoutMs);
    const field = await this.#take(FRAME_LENGTH_BYTES, deadline);
    const length = parseFrameLength(field, this.#maxBytes);
    return decodeFrame(await this.#take(length, deadline), schema);
  }

  /** Reads exactly `count` bytes. Memory grows with the bytes that arrive and not with the length announced. */
  async #take(count: number, deadline: Deadline): Promise<Uint8Array> {
    const collected = new ByteCollector(count);
    while (collected.length < count) {
      const missing = count - collected.length;
      if (!(await waitForBytes(this.#stream, deadline))) {
        throw new FrameError('FRAME_TRUNCATED', 'the stream ended within a frame', { missing });
      }
      const piece = this.#stream.read(Math.min(missing, this.#stream.readableLength)) as Buffer | null;
      if (piece === null) throw streamFailed(this.#stream.errored);
      collected.add(piece);
    }
    return collected.bytes();
  }

  /**
   * Writes one frame and waits until the stream has taken it. A write that failed may have been sent in part: the
   * duplex is destroyed.
   * @throws FrameError FRAME_TOO_LARGE (nothing was sent), FRAME_TIMEOUT, FRAME_ABORTED, FRAME_STREAM_FAILED
   */
  async write(value: CborEncodable, limits: FrameDeadline): Promise<void> {
    if (this.#released) throw new TypeError('the frame stream is released');
    const frame = encodeFrame(value, this.#maxBytes);
    using deadline = new Deadline(limits.signal);
    deadline.arm(limits.timeoutMs);
    try {
      await writeBytes(this.#stream, frame, deadline);
    } catch (error) {
      this.#stream.destroy();
      throw error;
    }
  }

  /** Destroys the duplex: waiting reads and writes fail with FRAME_STREAM_FAILED. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** Returns the duplex, which continues right behind the last frame that was read. */
  release(): Duplex {
    if (this.#reading) throw new TypeError('the frame stream is being read');
    this.#released = true;
    return this.#stream;
  }
}

/** Waits for at least one byte to read; false when the stream has ended. */
async function waitForBytes(stream: Duplex, deadline: Deadline): Promise<boolean> {
  for (;;) {
    deadline.assertNotPassed();
    if (stream.readableLength > 0) return true;
    if (stream.readableEnded) return false;
    if (stream.errored !== null || stream.destroyed) throw streamFailed(stream.errored);
    await waitForEvent(stream, deadline);
  }
}

const READ_EVENTS = ['readable', 'end', 'error', 'close'];

/**
 * Waits for an event of the stream, or the deadline. Listens only while there is nothing to read: a `readable` listener
 * makes the stream look for its end, and an `end` that is emitted before {@link FrameStream.release} is lost to the
 * next owner.
 */
function waitForEvent(stream: Duplex, deadline: Deadline): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      for (const event of READ_EVENTS) stream.off(event, wake);
      deadline.onPassed(undefined);
      resolve();
    };
    for (const event of READ_EVENTS) stream.on(event, wake);
    deadline.onPassed(wake);
    // Node does not replay events to a listener that is removed and added again in one tick; a read of 0 asks for them.
    stream.read(0);
  });
}

function writeBytes(stream: Duplex, bytes: Uint8Array, deadline: Deadline): Promise<void> {
  deadline.assertNotPassed();
  if (stream.destroyed || !stream.writable) return Promise.reject(streamFailed(stream.errored));
  return new Promise((resolve, reject) => {
    deadline.onPassed(() => {
      try {
        deadline.assertNotPassed();
      } catch (error) {
        reject(error);
      }
    });
    stream.write(bytes, (error) => {
      if (error) reject(streamFailed(error));
      else resolve();
    });
  });
}

function streamFailed(cause: Error | null): FrameError {
  return new FrameError('FRAME_STREAM_FAILED', 'the stream broke', {}, cause ?? undefined);
}
