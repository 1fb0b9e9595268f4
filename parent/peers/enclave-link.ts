import { errorCode } from '../../shared/errors.ts';
import { FrameError, FrameStream } from '../../shared/frames/index.ts';
import { PEER_SERVICE, type PeerEnclaveFrame } from '../../shared/protocol/peers.ts';
import type { Accepted, Listener, Transport } from '../../shared/transport/transport.ts';
import type { Log } from '../common/log.ts';

/** An enclave needs one; a second comes while a lost one has not been noticed yet. */
const MAX_CONNECTIONS = 8;
/** Milliseconds in which the enclave says which node it is. */
const OPEN_TIMEOUT_MS = 10_000;

/** What the enclave says of its sessions with other nodes. The parent believes it no more than anything. */
export type ReportedPeer = Extract<PeerEnclaveFrame, { type: 'status' }>['peers'][number];

export interface EnclaveLinkOptions {
  readonly transport: Transport;
  /** Whether that CID is the enclave's; others are hung up on. */
  readonly isEnclave: (cid: number) => boolean;
  /** Number of the node that this parent serves. */
  readonly node: number;
  readonly onSend: (to: number, bytes: Uint8Array) => void;
  /** Called when the enclave has connected, and when it has gone. */
  readonly onConnected: (isConnected: boolean) => void;
  readonly log: Log;
}

/** Connection of the one enclave that is served, by which it exchanges datagrams. */
export interface EnclaveLink {
  readonly isConnected: boolean;
  readonly reported: readonly ReportedPeer[];
  /** Hands a datagram to the enclave: true once its connection has taken it. */
  deliver(from: number, bytes: Uint8Array): Promise<boolean>;
  /** Hangs up on an enclave that is gone. */
  disconnect(): void;
  close(): Promise<void>;
}

/** Listens for the enclave. @throws TransportError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startEnclaveLink(options: EnclaveLinkOptions): Promise<EnclaveLink> {
  const { transport, isEnclave, node, onSend, onConnected, log } = options;
  const { frameTimeoutMs: timeoutMs, maxFrameBytes: maxBytes, enclaveFrameSchema } = PEER_SERVICE;
  const connections = new Map<FrameStream, Promise<void>>();
  let current: FrameStream | undefined;
  let reported: readonly ReportedPeer[] = [];
  /** Connections that this end has cut: what their streams say then is no news. */
  const cut = new WeakSet<FrameStream>();
  const cutOff = (frames: FrameStream) => {
    cut.add(frames);
    frames.destroy();
  };

  async function serve(frames: FrameStream): Promise<void> {
    const open = await frames.read(enclaveFrameSchema, { timeoutMs: OPEN_TIMEOUT_MS });
    if (open.type !== 'open' || open.node !== node) {
      const found = open.type === 'open' ? open.node : null;
      log('error', 'peers.other-node', { expected: node, found });
      return;
    }
    if (current !== undefined) cutOff(current);
    current = frames;
    onConnected(true);
    for (;;) {
      const frame = await frames.read(enclaveFrameSchema, { timeoutMs, idleTimeoutMs: Infinity });
      if (frame.type === 'send') onSend(frame.to, frame.bytes);
      else if (frame.type === 'status') reported = frame.peers;
      else return;
    }
  }

  function accept({ stream, peer }: Accepted): void {
    if (!isEnclave(peer.cid) || connections.size >= MAX_CONNECTIONS) {
      log('warn', 'peers.enclave-turned-away', { cid: peer.cid, connections: connections.size });
      stream.destroy();
      return;
    }
    stream.on('error', () => {});
    const frames = new FrameStream(stream, { maxBytes });
    const served = serve(frames)
      .catch((error: unknown) => {
        if (cut.has(frames) || (error instanceof FrameError && error.code === 'FRAME_END')) return;
        log('warn', 'peers.enclave-broken', { code: errorCode(error) });
      })
      .finally(() => {
        frames.destroy();
        connections.delete(frames);
        if (current !== frames) return;
        current = undefined;
        reported = [];
        onConnected(false);
      });
    connections.set(frames, served);
  }

  const listener: Listener = await transport.listen(PEER_SERVICE.port, accept);
  const disconnect = () => {
    for (const frames of connections.keys()) cutOff(frames);
  };
  return {
    get isConnected() {
      return current !== undefined;
    },
    get reported() {
      return reported;
    },
    async deliver(from, bytes) {
      if (current === undefined) return false;
      try {
        await current.write({ type: 'deliver', from, bytes }, { timeoutMs });
        return true;
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        return false;
      }
    },
    disconnect,
    async close() {
      await listener.close();
      disconnect();
      await Promise.all(connections.values());
    },
  };
}
