import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { joinStreams } from '../programs/join-streams.ts';

const LOOPBACK = '127.0.0.1';
const MAX_RESPONSE_BYTES = 32;
const CONNECT_TIMEOUT_MS = 10_000;

/** Ways between ports of loopback and a guest's vsock, through the Unix sockets of the switch. */
export class HostWays {
  readonly #path: string;
  readonly #servers: Server[] = [];

  /** @param path `unixPathOf` the guest */
  constructor(path: string) {
    this.#path = path;
  }

  /** Carries what the guest connects to at CID 2 to a port of loopback. */
  async openOut(vsockPort: number, port: number): Promise<void> {
    await this.#listen({ path: `${this.#path}_${vsockPort}` }, (socket) =>
      joinStreams(socket, connect({ port, host: LOOPBACK, allowHalfOpen: true })),
    );
  }

  /** Opens a port of loopback whose connections are carried to the guest's vsock port; returns its number. */
  async openIn(vsockPort: number): Promise<number> {
    const server = await this.#listen({ port: 0, host: LOOPBACK }, (socket) => {
      connectGuest(this.#path, vsockPort).then(
        (guest) => joinStreams(socket, guest),
        () => socket.destroy(),
      );
    });
    return (server.address() as AddressInfo).port;
  }

  async #listen(
    where: { path: string } | { port: number; host: string },
    accept: (socket: Socket) => void,
  ): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      accept(socket);
    });
    this.#servers.push(server);
    server.listen(where);
    await once(server, 'listening');
    return server;
  }

  /** Takes no more connections. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}

/** Connects to a guest's port through the switch, whose response is one line: `OK`, and the port given to this end. */
async function connectGuest(path: string, port: number): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(`CONNECT ${port}\n`);
  const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  let response = '';
  // What follows the line is the guest's: no byte of it is read here.
  while (!response.endsWith('\n') && response.length < MAX_RESPONSE_BYTES) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) await once(socket, 'readable', { signal });
    else response += byte.toString('latin1');
  }
  if (/^OK [0-9]+\n$/.test(response)) return socket;
  socket.destroy();
  throw new Error(`no connection to port ${port} of the guest: ${response}`);
}
