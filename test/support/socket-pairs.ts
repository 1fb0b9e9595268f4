import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/** Maker of connections over a Unix socket of its own; both ends of each may stay half open. */
export interface SocketPairs {
  /** Makes a pair: the end that connected and the one that was accepted, in this order. */
  make(): Promise<[Socket, Socket]>;
  /** Adds a socket to those that `close` destroys. */
  add(socket: Socket): void;
  close(): void;
}

/** Opens a maker of pairs. With `pauseOnConnect`, the accepted end reads nothing by itself. */
export async function openSocketPairs(
  options: { readonly pauseOnConnect?: boolean } = {},
): Promise<SocketPairs> {
  const directory = temporaryFolder();
  const path = join(directory, 's');
  const sockets: Socket[] = [];
  const server = createServer({ ...options, allowHalfOpen: true });
  server.listen(path);
  await once(server, 'listening');
  return {
    async make() {
      const accepted = once(server, 'connection');
      const near = connect({ path, allowHalfOpen: true });
      const [[far]] = (await Promise.all([accepted, once(near, 'connect')])) as [[Socket], unknown];
      for (const end of [near, far]) end.on('error', () => {});
      sockets.push(near, far);
      return [near, far];
    },
    add: (socket) => void sockets.push(socket),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
