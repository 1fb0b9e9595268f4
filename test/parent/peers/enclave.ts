import { FrameStream } from '../../../shared/frames/index.ts';
import { PEER_SERVICE, type PeerEnclaveFrame } from '../../../shared/protocol/peers.ts';
import { PARENT_CID } from '../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID } from '../../support/parent-options.ts';

/** A datagram as an enclave gets it. */
interface Delivered {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** An enclave's end of port 7005, by the frames alone. */
export interface FakeEnclave {
  readonly delivered: readonly Delivered[];
  write(frame: PeerEnclaveFrame): Promise<void>;
  send(to: number, text: string | Uint8Array): Promise<void>;
  /** Waits until that many datagrams have come, and returns the last of them as text. */
  waitFor(count: number): Promise<string>;
  /** Resolves when the parent has hung up. */
  readonly ended: Promise<void>;
  /** Stops reading, as an enclave that hangs. */
  readonly stall: () => void;
  close(): void;
}

/** Connects to the parent whose Unix sockets are in a folder. */
export async function connectEnclave(
  directory: string,
  node: number,
  { cid = ENCLAVE_CID, reads = true }: { cid?: number; reads?: boolean } = {},
): Promise<FakeEnclave> {
  const transport = createUnixTransport({ directory, cid });
  const stream = await transport.connect({ cid: PARENT_CID, port: PEER_SERVICE.port }, { timeoutMs: 30_000 });
  const frames = new FrameStream(stream, { maxBytes: PEER_SERVICE.maxFrameBytes });
  const delivered: Delivered[] = [];
  let wake = () => {};
  let isStalled = !reads;
  const write = (frame: PeerEnclaveFrame) => frames.write(frame, { timeoutMs: 30_000 });
  await write({ type: 'open', node, peers: [] });
  const ended = (async () => {
    try {
      for (;;) {
        if (isStalled) break;
        const { from, bytes } = await frames.read(PEER_SERVICE.parentFrameSchema, { timeoutMs: Infinity });
        delivered.push({ from, bytes });
        wake();
      }
      await new Promise((resolve) => stream.once('close', resolve));
    } catch {
      // The parent has hung up.
    }
  })();
  return {
    delivered,
    write,
    send: (to, text) => write({ type: 'send', to, bytes: Buffer.from(text) }),
    async waitFor(count) {
      while (delivered.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return Buffer.from(delivered[count - 1]?.bytes ?? []).toString('utf8');
    },
    ended,
    stall: () => (isStalled = true),
    close: () => stream.destroy(),
  };
}
