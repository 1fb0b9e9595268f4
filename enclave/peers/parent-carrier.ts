import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameStream } from '../../shared/frames/index.ts';
import { PEER_SERVICE, type PeerEnclaveFrame } from '../../shared/protocol/peers.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import type { Carrier } from './carrier.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Milliseconds that the last frame has to leave. */
const LAST_WORDS_MS = 200;
/** The most bytes that wait for the parent to take them; what comes on top is lost. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export interface ParentCarrierOptions {
  readonly transport: Transport;
  readonly node: number;
  readonly peers: readonly number[];
}

/** Opens the connection to the parent's port for peers, and opens it anew whenever it breaks. */
export function openParentCarrier({ transport, node, peers }: ParentCarrierOptions): Carrier {
  const closing = new AbortController();
  let listener: (from: number, datagram: Uint8Array) => void = () => undefined;
  let stream: Duplex | undefined;
  let frames: FrameStream | undefined;
  let report: Extract<PeerEnclaveFrame, { type: 'status' }> | undefined;

  function write(frame: PeerEnclaveFrame): void {
    if (frames === undefined || (stream?.writableLength ?? 0) > MAX_WAITING_BYTES) return;
    // A write that fails destroys the stream, which the reader notices.
    frames.write(frame, { timeoutMs: PEER_SERVICE.frameTimeoutMs }).catch(() => undefined);
  }

  async function serve(): Promise<void> {
    stream = await transport.connect(
      { cid: PARENT_CID, port: PEER_SERVICE.port },
      { timeoutMs: CONNECT_TIMEOUT_MS, signal: closing.signal },
    );
    const opened = new FrameStream(stream, { maxBytes: PEER_SERVICE.maxFrameBytes });
    try {
      frames = opened;
      write({ type: 'open', node, peers: [...peers] });
      if (report !== undefined) write(report);
      const limits = {
        timeoutMs: PEER_SERVICE.frameTimeoutMs,
        idleTimeoutMs: Infinity,
        signal: closing.signal,
      };
      for (;;) {
        const { from, bytes } = await opened.read(PEER_SERVICE.parentFrameSchema, limits);
        listener(from, bytes);
      }
    } finally {
      frames = undefined;
      opened.destroy();
    }
  }

  async function run(): Promise<void> {
    for (let wait = FIRST_RETRY_MS; !closing.signal.aborted; wait = Math.min(2 * wait, MAX_RETRY_MS)) {
      const began = performance.now();
      await serve().catch(() => undefined);
      if (performance.now() - began > MAX_RETRY_MS) wait = FIRST_RETRY_MS;
      await sleep(wait, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  }
  void run();

  return {
    send: (to, bytes) => write({ type: 'send', to, bytes }),
    onDatagram: (next) => {
      listener = next;
    },
    report: (states) => {
      report = { type: 'status', peers: states };
      write(report);
    },
    close: () => {
      // What was sent last, that the node stops, may still leave.
      stream?.end();
      setTimeout(() => {
        closing.abort();
        stream?.destroy();
      }, LAST_WORDS_MS).unref();
    },
  };
}
