import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveHttps } from '../../enclave/api/http-server.ts';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { ENCLAVE_PORT } from '../../shared/transport/ports.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ENCLAVE = 16;
/** The longest limit is 20 seconds. */
const PATIENCE_MS = 28_000;

let directory: string;
let client: Transport;
let server: { close(): Promise<void> };

beforeAll(async () => {
  directory = temporaryFolder();
  client = createUnixTransport({ directory, cid: 3 });
  server = await serveHttps(
    createUnixTransport({ directory, cid: ENCLAVE }),
    await createTlsIdentity('node', Date.now()),
    () => ({ status: 200, body: { ok: true } }),
  );
});

afterAll(async () => {
  await server.close();
});

function dial(): Promise<Duplex> {
  return client.connect({ cid: ENCLAVE, port: ENCLAVE_PORT.api }, { timeoutMs: 30_000 });
}

async function openTls(): Promise<TLSSocket> {
  const socket = connect({ socket: await dial(), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** Whether a newcomer is served at the first attempt. */
async function isServed(): Promise<boolean> {
  const socket = await openTls();
  socket.write('GET / HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString().startsWith('HTTP/1.1 200');
}

/** How long a connection lives that goes on as `drip` says, in milliseconds; `PATIENCE_MS` when it is never ended. */
async function measureLife(first: string, drip: string, isReading: boolean): Promise<number> {
  const socket = await openTls();
  const started = performance.now();
  if (isReading) socket.resume();
  socket.write(first);
  const timer = setInterval(() => drip !== '' && socket.write(drip), 500);
  const closed = new Promise((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, resolve);
  });
  await Promise.race([closed, sleep(PATIENCE_MS)]);
  clearInterval(timer);
  socket.destroy();
  return performance.now() - started;
}

describe('a client that holds on to its connection', () => {
  const lives = [
    { what: 'says nothing', first: '', drip: '', isReading: true },
    {
      what: 'never ends its headers',
      first: 'GET / HTTP/1.1\r\nhost: node\r\n',
      drip: 'x: y\r\n',
      isReading: true,
    },
    {
      what: 'never ends its body',
      first: 'POST / HTTP/1.1\r\nhost: node\r\ncontent-length: 60000\r\n\r\n',
      drip: 'x',
      isReading: true,
    },
    {
      what: 'asks for much and reads nothing',
      first: 'GET / HTTP/1.1\r\nhost: node\r\n\r\n'.repeat(40_000),
      drip: '',
      isReading: false,
    },
  ];
  it.concurrent.each(lives)('is hung up on when it $what', async ({ first, drip, isReading }) => {
    expect(await measureLife(first, drip, isReading)).toBeLessThan(PATIENCE_MS);
  });

  it('keeps nobody out, however many it holds', async () => {
    const held: TLSSocket[] = [];
    for (let round = 0; round < 42; round += 1) {
      held.push(...(await Promise.all(Array.from({ length: 50 }, openTls))));
    }
    expect(await isServed()).toBe(true);
    for (const socket of held) socket.destroy();
  });
});

describe('connections that end badly', () => {
  const ways: readonly (readonly [string, (stream: Duplex) => Promise<void>])[] = [
    ['garbage', async (stream) => void stream.write(randomBytes(64))],
    [
      'the beginning of a handshake',
      async (stream) => void stream.write(Buffer.from('16030100c8010000', 'hex')),
    ],
    ['an end at once', async (stream) => void stream.end()],
  ];
  it.each(ways)('leave room for others: %s, 2,200 times', async (_, spoil) => {
    for (let round = 0; round < 22; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const stream = await dial();
          stream.on('error', () => {});
          await spoil(stream);
          await sleep(5);
          stream.destroy();
        }),
      );
    }
    expect(await isServed()).toBe(true);
  });

  it('leaves room for others after 2,200 requests whose answer nobody awaits', async () => {
    for (let round = 0; round < 44; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = await openTls();
          socket.write('GET / HTTP/1.1\r\nhost: node\r\n\r\n');
          socket.destroy();
        }),
      );
    }
    expect(await isServed()).toBe(true);
  });
});
