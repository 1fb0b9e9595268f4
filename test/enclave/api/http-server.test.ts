import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiResponse, type BodyHandler, serveHttps } from '../../../enclave/api/http-server.ts';
import { createTlsIdentity, type TlsIdentity } from '../../../enclave/api/tls-identity.ts';
import type { ReceivedRequest, RequestHead } from '../../../shared/http-signature/index.ts';
import { MAX_REQUEST_BYTES } from '../../../shared/api/bodies.ts';
import { ENCLAVE_PORT } from '../../../shared/transport/ports.ts';
import type { Transport } from '../../../shared/transport/transport.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ENCLAVE = 16;
/** Longer than any handshake may take, shorter than a connection may be silent. */
const HANDSHAKE_PATIENCE_MS = 9_000;

let directory: string;
let client: Transport;
let identity: TlsIdentity;
/** Admits every request but those that `refuse` answers by their head. */
let handle: (request: ReceivedRequest) => ReturnType<BodyHandler>;
let refuse: (head: RequestHead) => ApiResponse | undefined;
/** Who has signed a request, by its first header field. */
const clientOf = ({ rawHeaders: [name, value] }: RequestHead) =>
  name === 'client' ? { client: value ?? '' } : {};
let server: { close(): Promise<void> };

beforeEach(async () => {
  directory = temporaryFolder();
  client = createUnixTransport({ directory, cid: 3 });
  identity = await createTlsIdentity('node', Date.now());
  handle = ({ body }) => ({ status: 200, body: { length: body.length } });
  const transport = createUnixTransport({ directory, cid: ENCLAVE });
  refuse = () => undefined;
  server = await serveHttps(
    transport,
    identity,
    (head) => refuse(head) ?? Object.assign((body: Uint8Array) => handle({ ...head, body }), clientOf(head)),
  );
});

afterEach(async () => {
  await server.close();
});

function dial(): Promise<Duplex> {
  return client.connect({ cid: ENCLAVE, port: ENCLAVE_PORT.api }, { timeoutMs: 30_000 });
}

async function openTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ socket: await dial(), rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** The transport's streams are half-open: a node that hangs up shows as an end. */
async function hangUpOf(stream: Duplex): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return;
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve());
  });
}

/** All that comes until the node hangs up. */
async function readAll(socket: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await hangUpOf(socket);
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

/** Sends these bytes on a connection of their own, and reads what comes until the node hangs up. */
async function exchange(bytes: string): Promise<string> {
  const socket = await openTls();
  socket.write(bytes, 'latin1');
  return await readAll(socket);
}
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? Number.NaN);
const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

function post(body: string, headers = ''): string {
  return `POST /v1/sign HTTP/1.1\r\nhost: node\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;
}

describe('TLS to a node', () => {
  it('shows the certificate of this boot, whose private key is cleared', async () => {
    const socket = await openTls();
    const peer = socket.getPeerX509Certificate();
    expect(peer?.fingerprint256).toBe(new X509Certificate(identity.certificate).fingerprint256);
    expect(identity.privateKey.every((byte) => byte === 0)).toBe(true);
    socket.destroy();
  });

  it('is version 1.3 and nothing older', async () => {
    const socket = await openTls();
    expect(socket.getProtocol()).toBe('TLSv1.3');
    socket.destroy();
    await expect(openTls({ maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it('speaks HTTP/1.1 and hangs up on who wants something else', async () => {
    const socket = await openTls({ ALPNProtocols: ['http/1.1', 'h2'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
    await expect(openTls({ ALPNProtocols: ['h2'] })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
  });

  it('is hung up on when its handshake does not begin or does not end', async () => {
    const life = async (first: Buffer) => {
      const stream = await dial();
      stream.on('error', () => undefined);
      stream.resume();
      if (first.length > 0) stream.write(first);
      const closed = hangUpOf(stream).then(() => true);
      // A machine that stood still has both behind it: what the node has done meanwhile comes after the timers.
      const patience = sleep(HANDSHAKE_PATIENCE_MS, false).then(async (isOver) => {
        for (let turns = 0; turns < 20; turns += 1) await turn();
        return isOver;
      });
      const isClosed = await Promise.race([closed, patience]);
      stream.destroy();
      return isClosed;
    };
    const half = Buffer.from('16030100c8010000c40303', 'hex');
    expect(await Promise.all([life(Buffer.alloc(0)), life(half)])).toEqual([true, true]);
  });
});

describe('a request', () => {
  it('reaches the handler as it was sent, headers in their order and spelling', async () => {
    handle = ({ method, target, rawHeaders, body }) => ({
      status: 201,
      body: { method, target, rawHeaders, text: Buffer.from(body).toString() },
    });
    const answer = await exchange(post('{"x":1}', 'X-Twice: 1\r\nx-twice: 2\r\n'));
    expect(statusOf(answer)).toBe(201);
    expect(bodyOf(answer)).toEqual({
      method: 'POST',
      target: '/v1/sign',
      rawHeaders: [
        'host',
        'node',
        'connection',
        'close',
        'content-length',
        '7',
        'X-Twice',
        '1',
        'x-twice',
        '2',
      ],
      text: '{"x":1}',
    });
  });

  it('is answered with JSON that nobody may keep', async () => {
    const answer = await exchange(post(''));
    expect(answer).toMatch(/\r\ncontent-type: application\/json\r\n/i);
    expect(answer).toMatch(/\r\ncache-control: no-store\r\n/i);
  });

  it('arrives whole, in however many pieces it comes', async () => {
    const socket = await openTls();
    for (const byte of post('0123456789')) {
      socket.write(byte);
      await sleep(0);
    }
    expect(bodyOf(await readAll(socket))).toEqual({ length: 10 });
  });

  it('follows another on the same connection', async () => {
    const socket = await openTls();
    socket.write('GET / HTTP/1.1\r\nhost: node\r\n\r\n');
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(bodyOf(first.toString())).toEqual({ length: 0 });
    socket.write(post('12345'));
    expect(bodyOf(await readAll(socket))).toEqual({ length: 5 });
  });

  it('is cut off with the one before it when it does not await its response', async () => {
    const leave = Promise.withResolvers<void>();
    handle = async () => {
      await leave.promise;
      return { status: 200, body: {} };
    };
    expect(await exchange('GET / HTTP/1.1\r\nhost: node\r\n\r\n'.repeat(2))).toBe('');
    leave.resolve();
  });

  it('waits for a word before it sends its body, and is told to go on or answered', async () => {
    const expecting = (length: number) =>
      `POST / HTTP/1.1\r\nhost: node\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;
    const socket = await openTls();
    socket.write(expecting(3));
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('abc');
    expect(bodyOf(await readAll(socket))).toEqual({ length: 3 });
    refuse = () => ({ status: 404, body: { error: 'NOT_FOUND' } });
    expect(statusOf(await exchange(expecting(4)))).toBe(404);
  });

  it('P42 that expects anything else is refused, and nothing behind it is looked at', async () => {
    const hopeful = 'POST / HTTP/1.1\r\nhost: node\r\nexpect: x\r\ncontent-length: 3\r\n\r\nabc';
    const answer = await exchange(hopeful + hopeful + post('12345'));
    expect(answer.match(/^HTTP\/1\.1 \d{3}/gm)).toEqual(['HTTP/1.1 417']);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it('that is refused by its head leaves the connection to the next one', async () => {
    refuse = ({ target }) => (target === '/none' ? { status: 404, body: {} } : undefined);
    const socket = await openTls();
    socket.write('POST /none HTTP/1.1\r\nhost: node\r\ncontent-length: 4\r\n\r\nab');
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(statusOf(first.toString())).toBe(404);
    socket.write(`cd${post('12345')}`);
    expect(bodyOf(await readAll(socket))).toEqual({ length: 5 });
  });

  it('P51 of one client is refused while its bodies fill half of the room, and that of others is not', async () => {
    const unfinished = `POST / HTTP/1.1\r\nclient: greedy\r\nhost: node\r\ncontent-length: ${MAX_REQUEST_BYTES}\r\n\r\n`;
    const open = await Promise.all(Array.from({ length: 129 }, () => openTls()));
    const refused = Promise.any(open.map((socket) => readAll(socket)));
    for (const socket of open) socket.write(unfinished);
    expect(bodyOf(await refused)).toEqual({ error: 'OVERLOADED' });
    for (const sender of ['client: modest\r\n', '']) {
      const request = `POST / HTTP/1.1\r\n${sender}host: node\r\nconnection: close\r\ncontent-length: ${MAX_REQUEST_BYTES}\r\n\r\n`;
      expect(statusOf(await exchange(request + 'x'.repeat(MAX_REQUEST_BYTES)))).toBe(200);
    }
    for (const socket of open) socket.destroy();
  });

  it('may have a body of the largest size', async () => {
    expect(bodyOf(await exchange(post('x'.repeat(MAX_REQUEST_BYTES))))).toEqual({
      length: MAX_REQUEST_BYTES,
    });
  });

  it.each([
    ['a few bytes', '5\r\n12345\r\n0\r\n\r\n'],
    ['an announcement', '4000\r\n'],
    ['chunks of one byte', '1\r\nx\r\n'.repeat(20_000)],
  ])('is refused with a body that comes in chunks: %s', async (_, body) => {
    let hasArrived = false;
    handle = () => {
      hasArrived = true;
      return { status: 200, body: {} };
    };
    const head = 'POST / HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\n';
    const answer = await exchange(head + body);
    expect(statusOf(answer)).toBe(411);
    expect(bodyOf(answer)).toEqual({ error: 'LENGTH_REQUIRED' });
    expect(hasArrived).toBe(false);
  });

  it('is hung up on when its head is refused and more than 1 MiB would come', async () => {
    refuse = () => ({ status: 413, body: {} });
    const head = 'POST / HTTP/1.1\r\nhost: node\r\n';
    expect(statusOf(await exchange(`${head}content-length: 1048577\r\n\r\nx`))).toBe(413);
  });

  it('is refused with headers that are larger than 8 KiB', async () => {
    expect(statusOf(await exchange(post('', `x: ${'y'.repeat(8 * 1024)}\r\n`)))).toBe(431);
  });

  it('is refused with more than 64 header fields', async () => {
    expect(statusOf(await exchange(post('', 'a: b\r\n'.repeat(61))))).toBe(200);
    expect(statusOf(await exchange(post('', 'a: b\r\n'.repeat(62))))).toBe(431);
  });

  it.each([
    ['two lengths', 'POST / HTTP/1.1\r\nhost: node\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: node\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header across two lines', 'GET / HTTP/1.1\r\nhost: node\r\nx: 1\r\n 2\r\n\r\n'],
    ['a bare line feed', 'GET / HTTP/1.1\nhost: node\n\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('is refused with %s', async (_, request) => {
    let hasArrived = false;
    handle = () => {
      hasArrived = true;
      return { status: 200, body: {} };
    };
    expect(statusOf(await exchange(request))).toBeGreaterThanOrEqual(400);
    expect(hasArrived).toBe(false);
  });

  it('whose handler fails is answered with a code and nothing else', async () => {
    handle = () => {
      throw new TypeError('the secret is 42');
    };
    const answer = await exchange(post(''));
    expect(statusOf(answer)).toBe(500);
    expect(bodyOf(answer)).toEqual({ error: 'INTERNAL' });
  });
});

describe('a node that stops', () => {
  it('answers the request that it is carrying out, and hangs up', async () => {
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    handle = async () => {
      entered.resolve();
      await leave.promise;
      return { status: 200, body: { done: true } };
    };
    const answer = exchange('GET / HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n');
    await entered.promise;
    const closed = server.close();
    leave.resolve();
    expect(bodyOf(await answer)).toEqual({ done: true });
    await closed;
    await expect(dial()).rejects.toMatchObject({ code: 'CONNECT_REFUSED' });
  });

  it('carries out nothing that had not wholly arrived', async () => {
    let carriedOut = 0;
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    handle = async () => {
      carriedOut += 1;
      entered.resolve();
      await leave.promise;
      return { status: 200, body: {} };
    };
    const arrived = Promise.withResolvers<void>();
    refuse = ({ method }) => {
      if (method === 'POST') arrived.resolve();
      return undefined;
    };
    const first = exchange('GET / HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n');
    const second = await openTls();
    second.write('POST / HTTP/1.1\r\nhost: node\r\ncontent-length: 2\r\n\r\nx');
    await entered.promise;
    // Its head is here, as its refusal by it would be.
    await arrived.promise;
    const closed = server.close();
    second.write('y');
    const answer = await readAll(second);
    leave.resolve();
    expect(statusOf(answer)).toBe(503);
    expect(bodyOf(answer)).toEqual({ error: 'STOPPING' });
    await Promise.all([first, closed]);
    expect(carriedOut).toBe(1);
  });

  it('waits for no request longer than a few seconds', async () => {
    const entered = Promise.withResolvers<void>();
    handle = () => {
      entered.resolve();
      return new Promise(() => undefined);
    };
    const answer = exchange('GET / HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n');
    await entered.promise;
    const asked = performance.now();
    await server.close();
    expect(performance.now() - asked).toBeLessThan(30_000);
    expect(await answer).toBe('');
  });

  it('hangs up at once on connections that ask for nothing', async () => {
    const idle = await openTls();
    idle.resume();
    const hungUp = hangUpOf(idle);
    await server.close();
    await hungUp;
    expect(idle.readableEnded || idle.destroyed).toBe(true);
    idle.destroy();
  });
});
