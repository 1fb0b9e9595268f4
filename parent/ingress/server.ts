import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCode } from '../../shared/errors.ts';
import type { Transport, VsockAddress } from '../../shared/transport/transport.ts';
import type { ConnectionTable } from '../common/connection-table.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { Log } from '../common/log.ts';
import { readProxyHeader, waitForBytes } from './proxy-protocol.ts';

export interface IngressServerOptions {
  readonly transport: Transport;
  /** Address to listen on; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** vsock address in the enclave that connections go to. */
  readonly to: VsockAddress;
  readonly maxConnections: number;
  readonly maxPerSource: number;
  readonly proxyProtocol: boolean;
  readonly firstByteTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly table: ConnectionTable;
  readonly log: Log;
  readonly onAttempt: (outcome: string, seconds: number) => void;
}

export interface IngressServer {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; open connections belong to the table. */
  close(): void;
}

/**
 * Bytes kept of a client that waits for its connection to the enclave, beside those that came at once. Bytes that come
 * one by one are an object each. The relay has buffers of its own.
 */
const MAX_WAITING_BYTES = 64;

/** Forwards clients' TCP connections to the enclave. @throws ParentOptionError OPTION_INVALID where it cannot listen */
export async function startIngressServer(options: IngressServerOptions): Promise<IngressServer> {
  const { host, port } = options;
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    highWaterMark: MAX_WAITING_BYTES,
  });
  const sources = new Sources(options.maxPerSource);
  const waiting = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    if (connections >= options.maxConnections) {
      options.onAttempt('OVERLOADED', 0);
      socket.resetAndDestroy();
      return;
    }
    connections += 1;
    waiting.add(socket);
    const onClosed = () => (connections -= 1);
    void serve(socket, sources, options, onClosed).then(() => waiting.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', 'cannot listen for clients', { host, port }, error));
    });
    server.listen({ host, port, backlog: 1_024 }, resolve);
  });
  // Running out of descriptors costs the connection that was to be accepted, nothing else.
  server.on('error', () => options.onAttempt('ACCEPT_FAILED', 0));
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    close() {
      // Closes without a callback, which would wait for connections that the table has to end.
      server.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}

type Outcome = 'FIRST_BYTE_TIMEOUT' | 'OVERLOADED';

async function serve(
  socket: Socket,
  sources: Sources,
  options: IngressServerOptions,
  onClosed: () => void,
): Promise<void> {
  const { log, onAttempt, table } = options;
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1_000;
  const place = sources.reserve();
  const close = () => {
    place.leave();
    onClosed();
  };
  try {
    const enclave = await admit(socket, place, options);
    if (typeof enclave === 'string') {
      onAttempt(enclave, elapsed());
      socket.resetAndDestroy();
      close();
      return;
    }
    enclave.on('error', () => {});
    onAttempt('ok', elapsed());
    table.forward(enclave, socket, 'far', ({ received, sent, durationMs, cut }) => {
      close();
      log('info', 'ingress.closed', { received, sent, durationMs: Math.round(durationMs), cut });
    });
  } catch (error) {
    onAttempt(errorCode(error), elapsed());
    log('warn', 'ingress.refused', { code: errorCode(error) });
    socket.resetAndDestroy();
    close();
  }
}

/** Connects a client to the enclave once the client has sent a byte: silent clients cost the enclave nothing. */
async function admit(socket: Socket, place: Place, options: IngressServerOptions): Promise<Duplex | Outcome> {
  const { firstByteTimeoutMs, proxyProtocol } = options;
  const direct = socket.remoteAddress ?? '';
  const source = proxyProtocol ? await readProxyHeader(socket, firstByteTimeoutMs) : direct;
  if (!place.enter(source ?? direct)) return 'OVERLOADED';
  if (socket.readableLength === 0 && !(await waitForBytes(socket, firstByteTimeoutMs))) {
    return 'FIRST_BYTE_TIMEOUT';
  }
  return await options.transport.connect(options.to, { timeoutMs: options.connectTimeoutMs });
}

/** Place of one connection among those from its source. */
interface Place {
  /** Takes the place; false when the source has as many connections as it may. */
  enter(source: string): boolean;
  leave(): void;
}

/** Counts of connections by source address. */
class Sources {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  reserve(): Place {
    let of: string | undefined;
    return {
      enter: (source) => {
        const count = this.#counts.get(source) ?? 0;
        if (count >= this.#max) return false;
        of = source;
        this.#counts.set(source, count + 1);
        return true;
      },
      leave: () => {
        if (of === undefined) return;
        const left = (this.#counts.get(of) ?? 1) - 1;
        if (left === 0) this.#counts.delete(of);
        else this.#counts.set(of, left);
        of = undefined;
      },
    };
  }
}
