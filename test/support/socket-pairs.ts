import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/** Makes connections over a Unix socket of its own; both ends of each may stay half open. */
export interface SocketPairs {
  /** The end that connected and the one that was accepted, in this order. */
  make(): Promise<[Socket, Socket]>;
  /** Destroys this one as well in the end. */
  add(socket: Socket): void;
  close(): void;
}

/** With `pauseOnConnect`, what was accepted reads nothing by itself. */
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
