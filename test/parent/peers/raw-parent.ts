import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Encoder } from 'cbor-x';

const encoder = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false });

/** A frame as another implementation writes it: u32 length, version 1, a CBOR map. */
export function frameOf(value: unknown): Buffer {
  const body = encoder.encode(value);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head[4] = 1;
  return Buffer.concat([head, body]);
}

export const helloFrame = (from: number, to: number) =>
  frameOf({ type: 'hello', protocol: 'holdfast-parents/1', from, to });
export const datagramFrame = (text: string) => frameOf({ type: 'datagram', bytes: Buffer.from(text) });

/** Connects to a parent by TCP alone, and keeps what it sends. */
export async function dialRaw({ host, port }: { host: string; port: number }) {
  const socket = connect({ host, port, allowHalfOpen: true });
  const received: Buffer[] = [];
  let isClosed = false;
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) {
      socket.once(event, () => {
        isClosed = true;
        resolve();
      });
    }
  });
  await once(socket, 'connect');
  return {
    socket,
    received: () => Buffer.concat(received).toString('latin1'),
    ended,
    isEnded: () => isClosed,
    close: () => socket.destroy(),
  };
}

/** A TCP proxy in front of a parent that may hold back all bytes, as a network that is gone without a word. */
export async function startDeadNetwork(to: { host: string; port: number }) {
  let isDead = false;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(to);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('data', (bytes) => {
        if (!isDead) other.write(bytes);
      });
      one.on('close', () => {
        sockets.delete(one);
        if (!isDead) other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    die: () => (isDead = true),
    live: () => (isDead = false),
    connections: () => sockets.size / 2,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
