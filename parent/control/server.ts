import { errorCode } from '../../shared/errors.ts';
import { FrameError, FrameStream } from '../../shared/frames/index.ts';
import { MAX_CONTROL_FRAME_BYTES, controlRequestSchema } from '../../shared/protocol/control.ts';
import { PARENT_PORT } from '../../shared/transport/ports.ts';
import type { Accepted, Listener, Transport } from '../../shared/transport/transport.ts';
import { hangUp } from '../forward.ts';
import type { Log } from '../log.ts';
import type { ControlSession } from './session.ts';

/** An enclave needs one; a second comes while a lost one has not been noticed yet. */
const MAX_CONNECTIONS = 8;
const FRAME_TIMEOUT_MS = 10_000;

export interface ControlServerOptions {
  readonly transport: Transport;
  /** Whether that CID is the enclave's; others are hung up on. */
  readonly isEnclave: (cid: number) => boolean;
  readonly openSession: () => ControlSession;
  readonly log: Log;
}

export interface ControlServer extends Listener {
  /** Hangs up on all who are connected: an enclave that is gone must not keep the store from its successor. */
  disconnect(): void;
}

/** Listens on `PARENT_PORT.control`. @throws TransportError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { transport, isEnclave, openSession, log } = options;
  const connections = new Map<FrameStream, Promise<void>>();

  async function serve(frames: FrameStream, session: ControlSession): Promise<void> {
    try {
      for (;;) {
        const request = await frames.read(controlRequestSchema, {
          timeoutMs: FRAME_TIMEOUT_MS,
          idleTimeoutMs: Infinity,
        });
        await frames.write(await session.handle(request), { timeoutMs: FRAME_TIMEOUT_MS });
      }
    } catch (error) {
      if (error instanceof FrameError && error.code === 'FRAME_END') return;
      log('warn', 'control.broken', { code: errorCode(error) });
      await frames.write({ type: 'error', code: 'BAD_REQUEST' }, { timeoutMs: 1_000 }).catch(() => {});
    } finally {
      hangUp(frames.release());
      await session.close();
    }
  }

  function accept({ stream, peer }: Accepted): void {
    if (!isEnclave(peer.cid) || connections.size >= MAX_CONNECTIONS) {
      log('warn', 'control.turned-away', { cid: peer.cid, connections: connections.size });
      stream.destroy();
      return;
    }
    log('info', 'control.connected', { cid: peer.cid });
    const frames = new FrameStream(stream, { maxBytes: MAX_CONTROL_FRAME_BYTES });
    const served = serve(frames, openSession()).finally(() => connections.delete(frames));
    connections.set(frames, served);
  }

  const listener = await transport.listen(PARENT_PORT.control, accept);
  const disconnect = () => {
    for (const frames of connections.keys()) frames.destroy();
  };
  return {
    address: listener.address,
    disconnect,
    async close() {
      await listener.close();
      disconnect();
      await Promise.all(connections.values());
    },
  };
}
