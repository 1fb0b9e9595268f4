import type { Duplex } from 'node:stream';
import { FrameError, type FrameErrorCode, FrameStream } from '../../../shared/frames/index.ts';
import { PEER_SERVICE } from '../../../shared/protocol/peers.ts';
import { hangUp } from '../../common/forward.ts';
import type { EndReason } from '../carrier.ts';
import type { DirectLimits } from '../options.ts';
import { linkFrameSchema, MAX_LINK_FRAME_BYTES } from './wire.ts';

export interface LinkOptions {
  readonly limits: DirectLimits;
  /** Takes a datagram; the next one is read when it is done, so that a flood waits in the sender's kernel. */
  readonly onDatagram: (bytes: Uint8Array) => Promise<unknown>;
  /** Called for every frame. */
  readonly onHeard: () => void;
  readonly onEnd: (reason: EndReason) => void;
}

/** Connection of two parents that have greeted each other. */
export class Link {
  readonly #frames: FrameStream;
  readonly #stream: Duplex;
  readonly #options: LinkOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #done: Promise<void>;
  #reason: EndReason | undefined;
  #hasWritten = false;
  #heardAt = performance.now();

  /** Takes the stream over, right behind the greetings. */
  constructor(stream: Duplex, options: LinkOptions) {
    this.#stream = stream;
    this.#frames = new FrameStream(stream, { maxBytes: MAX_LINK_FRAME_BYTES });
    this.#options = options;
    this.#timer = setInterval(() => void this.#ping(), options.limits.keepaliveMs).unref();
    this.#done = this.#read();
  }

  /** Milliseconds, by `performance.now`, of the last frame. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Resolves once the connection has ended. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Sends a datagram; true once the kernel has taken it, false where the connection has broken. */
  async send(bytes: Uint8Array): Promise<boolean> {
    return await this.#write({ type: 'datagram', bytes });
  }

  /** Ends the connection; bytes on their way still go out. */
  end(reason: EndReason): void {
    this.#reason ??= reason;
    hangUp(this.#stream);
  }

  async #write(frame: { readonly type: 'datagram'; readonly bytes: Uint8Array } | { readonly type: 'ping' }) {
    this.#hasWritten = true;
    try {
      await this.#frames.write(frame, { timeoutMs: this.#options.limits.writeTimeoutMs });
      return true;
    } catch (error) {
      if (error instanceof FrameError && error.code === 'FRAME_TIMEOUT') this.#reason ??= 'WRITE_TIMEOUT';
      this.#stream.destroy();
      return false;
    }
  }

  async #ping(): Promise<void> {
    if (!this.#hasWritten) await this.#write({ type: 'ping' });
    this.#hasWritten = false;
  }

  async #read(): Promise<void> {
    const { limits, onDatagram, onEnd, onHeard } = this.#options;
    try {
      for (;;) {
        const frame = await this.#frames.read(linkFrameSchema, {
          timeoutMs: PEER_SERVICE.frameTimeoutMs,
          idleTimeoutMs: limits.idleTimeoutMs,
        });
        this.#heardAt = performance.now();
        onHeard();
        if (frame.type === 'datagram') await onDatagram(frame.bytes);
      }
    } catch (error) {
      this.#reason ??= reasonOf(error);
    } finally {
      clearInterval(this.#timer);
      if (this.#reason === 'CLOSED_BY_PEER') hangUp(this.#stream);
      else if (!this.#stream.writableEnded) this.#stream.destroy();
      onEnd(this.#reason ?? 'BROKEN');
    }
  }
}

/** Reasons of the errors that are no fault of the frames themselves. */
const REASONS: Partial<Record<FrameErrorCode, EndReason>> = {
  FRAME_END: 'CLOSED_BY_PEER',
  FRAME_TIMEOUT: 'IDLE',
  FRAME_STREAM_FAILED: 'BROKEN',
  FRAME_TRUNCATED: 'BROKEN',
};

function reasonOf(error: unknown): EndReason {
  if (!(error instanceof FrameError)) throw error;
  return REASONS[error.code] ?? 'FRAME_REFUSED';
}
