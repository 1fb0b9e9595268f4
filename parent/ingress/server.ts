import { createServer, type AddressInfo, type Socket } from 'node:net';
import { errorCode } from '../../shared/errors.ts';
import type { Transport, VsockAddress } from '../../shared/transport/transport.ts';
import type { ConnectionTable } from '../connection-table.ts';
import { ParentOptionError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface IngressServerOptions {
  readonly transport: Transport;
  /** Where to listen; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** Where in the enclave the connections go. */
  readonly to: VsockAddress;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly table: ConnectionTable;
  readonly log: Log;
  readonly onAttempt: (outcome: string, seconds: number) => void;
}

export interface IngressServer {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; what is open belongs to the table. */
  close(): void;
}

/** Forwards clients' TCP connections to the enclave. @throws ParentOptionError OPTION_INVALID where it cannot listen */
export async function startIngressServer(options: IngressServerOptions): Promise<IngressServer> {
  const { host, port } = options;
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true });
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    if (connections >= options.maxConnections) {
      options.onAttempt('OVERLOADED', 0);
      socket.resetAndDestroy();
      return;
    }
    connections += 1;
    socket.once('close', () => {
      connections -= 1;
    });
    void serve(socket, options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', 'cannot listen for clients', { host, port }, error));
    });
    server.listen({ host, port, backlog: 1_024 }, resolve);
  });
  server.on('error', (error) => options.log('error', 'ingress.failed', { code: errorCode(error) }));
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    // Its callback would wait for the connections, which are the table's to end.
    close: () => void server.close(),
  };
}

async function serve(socket: Socket, options: IngressServerOptions): Promise<void> {
  const { log, onAttempt, table, to, transport } = options;
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1_000;
  try {
    const enclave = await transport.connect(to, { timeoutMs: options.connectTimeoutMs });
    enclave.on('error', () => {});
    onAttempt('ok', elapsed());
    table.forward(enclave, socket, ({ received, sent, durationMs, cut }) => {
      log('info', 'ingress.closed', { received, sent, durationMs: Math.round(durationMs), cut });
    });
  } catch (error) {
    onAttempt(errorCode(error), elapsed());
    log('warn', 'ingress.refused', { code: errorCode(error) });
    socket.resetAndDestroy();
  }
}
