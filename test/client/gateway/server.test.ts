import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../../client/gateway/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { echo, post, RawClient, startTestDoor } from './door.ts';

type Door = Awaited<ReturnType<typeof startTestDoor>>;
const doors: Door[] = [];
const sockets: RawClient[] = [];
const start = async (options?: Parameters<typeof startTestDoor>[0]) => {
  const door = await startTestDoor(options);
  doors.push(door);
  return door;
};
const open = async (to: number | string) => {
  const client = await RawClient.open(to);
  sockets.push(client);
  return client;
};
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof GatewayError ? error.code : error),
  );
const waitFor = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};

afterEach(async () => {
  for (const { socket } of sockets.splice(0)) socket.destroy();
  for (const { server } of doors.splice(0)) await server.close();
});

describe('a listener of a door', () => {
  it('refuses an address beyond this host without TLS, whatever authenticates', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.7', 'door.example', '127.0.0.1.example']) {
      expect(await codeOf(startTestDoor({ listen: { host, port: 0 }, isAuthenticated: true }))).toBe(
        'GATEWAY_LISTEN_EXPOSED',
      );
    }
  });

  it('refuses an address beyond this host with TLS where nothing authenticates clients', async () => {
    const tls = { certificate: 'x', key: 'x' };
    expect(await codeOf(startTestDoor({ listen: { host: '0.0.0.0', port: 0, tls } }))).toBe(
      'GATEWAY_LISTEN_EXPOSED',
    );
    // With authentication the address passes, and the certificate is looked at.
    for (const change of [
      { isAuthenticated: true },
      { listen: { host: '0.0.0.0', port: 0, tls: { ...tls, clients: 'x' } } },
    ]) {
      expect(await codeOf(startTestDoor({ listen: { host: '0.0.0.0', port: 0, tls }, ...change }))).toBe(
        'GATEWAY_TLS_MALFORMED',
      );
    }
  });

  it('listens on a Unix socket that its own user alone may open, and takes the place of a dead one', async () => {
    const unix = join(temporaryFolder(), 'door.sock');
    const first = await start({ listen: { unix } });
    expect(statSync(unix).mode & 0o777).toBe(0o600);
    expect(await codeOf(startTestDoor({ listen: { unix } }))).toBe('GATEWAY_LISTEN_FAILED');
    const client = await open(unix);
    client.socket.write(post('hello'));
    expect(await client.until(/hello$/)).toContain('Content-Length: 5'.toLowerCase());
    await first.server.close();
    expect(existsSync(unix)).toBe(false);
  });

  it('leaves a file alone that lies where the socket should', async () => {
    const unix = join(temporaryFolder(), 'file');
    writeFileSync(unix, 'of somebody');
    expect(await codeOf(startTestDoor({ listen: { unix } }))).toBe('GATEWAY_LISTEN_FAILED');
    expect(existsSync(unix)).toBe(true);
  });
});

describe('a connection to a door', () => {
  it('carries one request after the other, each with a length', async () => {
    const { port, events } = await start();
    const client = await open(port);
    for (const word of ['one', 'two', 'three']) {
      client.text = '';
      client.socket.write(post(word));
      expect(await client.until(new RegExp(`${word}$`))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(client.text.toLowerCase()).toContain(`content-length: ${word.length}\r\n`);
    }
    await waitFor(() => events.length === 3);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(events[0]).toMatchObject({
      code: 'OK',
      operation: 'Echo',
      status: 200,
      isDelivered: true,
      door: 'test',
    });
  });

  it('answers a client that has closed its side after the request, and says that nobody knows whether it arrived', async () => {
    const delivered: boolean[] = [];
    const { port, events } = await start({
      handle: async (request) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { ...echo(request), onDelivery: (isDelivered) => delivered.push(isDelivered) };
      },
    });
    const client = await open(port);
    client.socket.end(post('half'));
    expect(await client.until(/half$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await waitFor(() => events.length === 1);
    expect(delivered).toEqual([false]);
  });

  it('cuts off a client that sends a second request before the first is answered, and reports the first as lost', async () => {
    let handled = 0;
    const delivered: boolean[] = [];
    const { port, events } = await start({
      handle: async (request) => {
        handled += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { ...echo(request), onDelivery: (isDelivered) => delivered.push(isDelivered) };
      },
    });
    const client = await open(port);
    client.socket.write(post('first') + post('second'));
    await client.ended;
    expect(client.text).toBe('');
    await waitFor(() => events.length === 1);
    expect({ handled, delivered }).toEqual({ handled: 1, delivered: [false] });
    expect(events[0]).toMatchObject({ isDelivered: false });
  });

  it('reports a response as lost where the client resets the connection without having read it', async () => {
    const delivered: boolean[] = [];
    const { port } = await start({
      handle: (request) =>
        Promise.resolve({ ...echo(request), onDelivery: (isDelivered) => delivered.push(isDelivered) }),
    });
    const client = await open(port);
    client.socket.pause();
    client.socket.write(post('lost'));
    await waitFor(() => delivered.length === 1);
    client.socket.resetAndDestroy();
    await waitFor(() => delivered.length === 2);
    expect(delivered).toEqual([true, false]);
  });

  it('does not write garbage behind a request into the response to that request', async () => {
    const { port, events } = await start({
      handle: async (request) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return echo(request);
      },
    });
    const client = await open(port);
    client.socket.write(post('first'));
    client.socket.write('\0\0garbage\r\n\r\n');
    await client.ended;
    expect(client.text).toBe('');
    await waitFor(() => events.length === 1);
    expect(events[0]).toMatchObject({ isDelivered: false, status: 200 });
  });

  it.each([
    [
      'a body without length',
      'POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      411,
      'LENGTH_REQUIRED',
    ],
    [
      'a body that is too long',
      `POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 1025\r\n\r\n`,
      413,
      'REQUEST_TOO_LARGE',
    ],
    [
      'a head that is too long',
      `POST / HTTP/1.1\r\nHost: d\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['what is no request', 'hello\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
      'REQUEST_MALFORMED',
    ],
  ])('refuses %s, and hangs up', async (_, bytes, status, code) => {
    const { port, events } = await start();
    const client = await open(port);
    client.socket.write(bytes);
    await client.ended;
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(client.text.toLowerCase()).toContain(`content-length: ${code.length}\r\n`);
    expect(client.text).toMatch(new RegExp(`\r\n\r\n${code}$`));
    await waitFor(() => events.length === 1);
    expect(events[0]).toMatchObject({ code, status });
  });

  it('answers a defect of the protocol by a refusal', async () => {
    const { port, others } = await start({ handle: () => Promise.reject(new Error('a secret')) });
    const client = await open(port);
    client.socket.write(post('x'));
    await client.ended;
    expect(client.text).toMatch(/^HTTP\/1\.1 500 [^]*INTERNAL$/);
    expect(others).toEqual(['door.defect']);
  });

  it('answers probes by itself, without a body for HEAD', async () => {
    const { port, events } = await start({
      readiness: () => ({
        isReady: false,
        code: 'NODE_UNREACHABLE',
        nodes: [{ url: 'https://n', code: 'NODE_UNREACHABLE' }],
      }),
    });
    const client = await open(port);
    client.socket.write('GET /healthz HTTP/1.1\r\nHost: d\r\n\r\n');
    expect(await client.until(/healthy/)).toMatch(/^HTTP\/1\.1 200 /);
    client.text = '';
    client.socket.write('GET /readyz HTTP/1.1\r\nHost: d\r\n\r\n');
    expect(await client.until(/\n$/)).toMatch(/^HTTP\/1\.1 503 [^]*"code":"NODE_UNREACHABLE"/);
    client.text = '';
    client.socket.write('HEAD /readyz HTTP/1.1\r\nHost: d\r\n\r\n');
    expect(await client.until(/\r\n\r\n/)).toMatch(/\r\n\r\n$/);
    expect(events).toEqual([]);
  });

  it('lets a request under way end when it stops, and takes no other', async () => {
    const { port, server } = await start({
      handle: async (request) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return echo(request);
      },
    });
    const client = await open(port);
    const idle = await open(port);
    client.socket.write(post('last'));
    await waitFor(() => server.underWay === 1);
    const closing = server.close();
    await expect(RawClient.open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await client.until(/last$/)).toMatch(/^HTTP\/1\.1 200 /);
    await closing;
    await idle.ended;
  });

  it('does not wait longer than it may for a request under way when it stops', async () => {
    const { port, server, others } = await start({ handle: () => new Promise(() => {}), drainMs: 50 });
    const client = await open(port);
    client.socket.write(post('for ever'));
    await waitFor(() => server.underWay === 1);
    await server.close();
    await client.ended;
    expect(client.text).toBe('');
    expect(others).toEqual(['door.cut-off']);
  });
});
