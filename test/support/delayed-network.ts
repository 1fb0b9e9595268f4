import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy that delays all bytes, as distance does: bandwidth and order stay. */
export interface DelayedNetwork {
  readonly address: { readonly host: string; readonly port: number };
  close(): void;
}

/** Opens a way to an address on which bytes take that many milliseconds, each way. */
export async function openDelayedNetwork(
  to: { readonly host: string; readonly port: number },
  delayMs: number,
): Promise<DelayedNetwork> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ ...to, noDelay: true });
    for (const [from, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => void setTimeout(() => other.write(bytes), delayMs));
      from.on('close', () => {
        sockets.delete(from);
        setTimeout(() => other.destroy(), delayMs);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
