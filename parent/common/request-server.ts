import { errorCode } from '../../shared/errors.ts';
import { FrameError, FrameStream } from '../../shared/frames/index.ts';
import type { Message, RequestService } from '../../shared/protocol/request-service.ts';
import type { Accepted, Listener, Transport } from '../../shared/transport/transport.ts';
import { hangUp } from './forward.ts';
import type { Log } from './log.ts';

/** An enclave needs one; a second comes while a lost one has not been noticed yet. */
const MAX_CONNECTIONS = 8;
const FRAME_TIMEOUT_MS = 10_000;

/** One connection's requests, one after the other. */
export interface RequestSession<Request, Response> {
  /** Never throws: what goes wrong is an answer of type `error`. */
  handle(request: Request): Promise<Response>;
  /** Called once no request is under way any more. */
  close(): Promise<void>;
}

export interface RequestServerOptions<Request, Response> {
  readonly transport: Transport;
  /** Whether that CID is the enclave's; others are hung up on. */
  readonly isEnclave: (cid: number) => boolean;
  readonly openSession: () => RequestSession<Request, Response>;
  readonly log: Log;
}

export interface RequestServer extends Listener {
  /** Hangs up on all who are connected: an enclave that is gone must not keep the store from its successor. */
  disconnect(): void;
}

/** Serves on the port of a service. @throws TransportError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startRequestServer<Request extends Message, Response extends Message>(
  service: RequestService<Request, Response>,
  options: RequestServerOptions<Request, Response>,
): Promise<RequestServer> {
  const { transport, isEnclave, openSession, log } = options;
  const connections = new Map<FrameStream, Promise<void>>();

  async function serve(frames: FrameStream, session: RequestSession<Request, Response>): Promise<void> {
    try {
      for (;;) {
        const request = await frames.read(service.requestSchema, {
          timeoutMs: FRAME_TIMEOUT_MS,
          idleTimeoutMs: Infinity,
        });
        await frames.write(await session.handle(request), { timeoutMs: FRAME_TIMEOUT_MS });
      }
    } catch (error) {
      if (error instanceof FrameError && error.code === 'FRAME_END') return;
      log('warn', `${service.name}.broken`, { code: errorCode(error) });
      await frames.write(service.badRequest, { timeoutMs: 1_000 }).catch(() => {});
    } finally {
      hangUp(frames.release());
      await session.close();
    }
  }

  function accept({ stream, peer }: Accepted): void {
    if (!isEnclave(peer.cid) || connections.size >= MAX_CONNECTIONS) {
      log('warn', `${service.name}.turned-away`, { cid: peer.cid, connections: connections.size });
      stream.destroy();
      return;
    }
    log('info', `${service.name}.connected`, { cid: peer.cid });
    const frames = new FrameStream(stream, { maxBytes: service.maxFrameBytes });
    const served = serve(frames, openSession()).finally(() => connections.delete(frames));
    connections.set(frames, served);
  }

  const listener = await transport.listen(service.port, accept);
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
