import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startParent, type Parent } from '../../../parent/index.ts';
import { openEgress } from '../../../shared/protocol/egress-client.ts';
import { ENCLAVE_PORT } from '../../../shared/transport/ports.ts';
import type { Listener } from '../../../shared/transport/transport.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { measureHoldings } from '../../support/leaks.ts';
import { ENCLAVE_CID, parentOptions } from '../../support/parent-options.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const AT_ONCE = 50;
/** What a connection may leave behind on average, a part of what one takes while it is open. */
const BYTES_LEFT_EACH = 1_000;
const CHUNK = Buffer.alloc(65_536, 7);

let directory: string;
let target: Server;
let enclave: Listener;
let parent: Parent;

/** Does what the first byte of a connection says: echo, reset, or send without end. */
function serve(socket: Duplex, breakOff: () => void): void {
  socket.on('error', () => {});
  socket.once('data', (first: Buffer) => {
    const what = String(first).at(0);
    if (what === 'r') breakOff();
    else if (what === 'f') {
      const flood = () => {
        while (socket.writable && socket.write(CHUNK));
      };
      socket.on('drain', flood);
      flood();
    } else {
      socket.write(first);
      socket.pipe(socket);
    }
  });
}

beforeAll(async () => {
  directory = temporaryFolder();
  target = createServer({ allowHalfOpen: true }, (socket) => serve(socket, () => socket.resetAndDestroy()));
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  enclave = await vsock().listen(ENCLAVE_PORT.api, ({ stream }) => serve(stream, () => stream.destroy()));
  const { port } = target.address() as AddressInfo;
  parent = await startParent(
    parentOptions(directory, {
      status: { port: 0 },
      egress: {
        targets: [{ host: 'kms.example.com', port: 443, connectTo: { address: '127.0.0.1', port } }],
      },
      ingress: { port: 0 },
    }),
  );
});
afterAll(async () => {
  await parent.close(0);
  await enclave.close();
  target.close();
});

const vsock = () => createUnixTransport({ directory, cid: ENCLAVE_CID });

async function out(): Promise<Duplex> {
  return await openEgress(vsock(), { host: 'kms.example.com', port: 443 }, { timeoutMs: 30_000 });
}

async function into(): Promise<Duplex> {
  const socket = createConnection({
    host: '127.0.0.1',
    port: parent.ingress?.port ?? 0,
    allowHalfOpen: true,
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function isGone(stream: Duplex): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
    stream.resume();
  });
}

async function keep(stream: Duplex): Promise<void> {
  stream.end('echo');
  await isGone(stream);
}

async function vanish(stream: Duplex): Promise<void> {
  stream.write('flood');
  await once(stream, 'data');
}

async function drop(stream: Duplex): Promise<void> {
  stream.write('echo');
  await Promise.resolve();
}

async function reset(stream: Duplex): Promise<void> {
  stream.write('reset');
  await isGone(stream);
}

describe.each([
  ['egress', out],
  ['ingress', into],
] as const)('%s leaves nothing behind', (_name, open) => {
  test.each([
    ['when connections end', 2_000, keep],
    ['when connections are dropped', 2_000, drop],
    ['when the peer vanishes in the middle of a stream', 500, vanish],
    ['when the other end resets', 1_000, reset],
  ] as const)('%s', async (_what, connections, act) => {
    const round = async (count: number) => {
      for (let done = 0; done < count; done += AT_ONCE) {
        const one = async () => {
          const stream = await open();
          stream.on('error', () => {});
          await act(stream);
          stream.destroy();
        };
        await Promise.all(Array.from({ length: AT_ONCE }, one));
      }
      await expect.poll(openConnections).toBe(0);
    };
    await round(200);
    const before = await measureHoldings();
    await round(connections);
    const after = await measureHoldings();
    expect(after.bytes - before.bytes).toBeLessThan(connections * BYTES_LEFT_EACH);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 4);
    expect(after.resources).toBeLessThanOrEqual(before.resources + 4);
  });
});

async function openConnections(): Promise<number> {
  const text = await (await fetch(`${parent.statusUrl}/metrics`)).text();
  return [...text.matchAll(/^holdfast_connections_open\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
