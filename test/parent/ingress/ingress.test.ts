import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startParent, type Parent, type ParentOptions } from '../../../parent/index.ts';
import { ENCLAVE_PORT } from '../../../shared/transport/ports.ts';
import type { Listener } from '../../../shared/transport/transport.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID, parentOptions } from '../../support/parent-options.ts';
import { readText } from '../../support/read-stream.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let directory: string;
let parent: Parent;
let enclave: Listener | undefined;
let accepted: number;
const clients: Socket[] = [];

beforeEach(async () => {
  directory = temporaryFolder();
  accepted = 0;
  enclave = await createUnixTransport({ directory, cid: ENCLAVE_CID }).listen(
    ENCLAVE_PORT.api,
    ({ stream }) => {
      accepted += 1;
      stream.on('error', () => {});
      stream.pipe(stream);
    },
  );
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await parent.close(0);
  await enclave?.close();
});

async function start(ingress: Partial<ParentOptions['ingress']> = {}): Promise<void> {
  parent = await startParent(
    parentOptions(directory, {
      ingress: { port: 0, ...ingress },
    }),
  );
}

function connect(): Socket {
  const socket = createConnection({
    host: '127.0.0.1',
    port: parent.ingress?.port ?? 0,
    allowHalfOpen: true,
  });
  socket.on('error', () => {});
  clients.push(socket);
  return socket;
}

function isClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.resume();
  });
}

describe('ingress', () => {
  test('carries a client’s bytes in and the answer out, with half-close', async () => {
    await start();
    const client = connect();
    client.end('question');
    expect(await readText(client)).toBe('question');
  });

  test('tells the enclave nothing of a client that says nothing, and cuts it', async () => {
    await start({ firstByteTimeoutMs: 100 });
    await isClosed(connect());
    expect(accepted).toBe(0);
  });

  test('cuts a client that says a little and then nothing more', async () => {
    await start({ idleTimeoutMs: 150 });
    const client = connect();
    client.write('\x16\x03\x01');
    await once(client, 'data');
    await new Promise((resolve) => {
      client.once('end', resolve);
      client.once('close', resolve);
    });
    expect(accepted).toBe(1);
  });

  test('lets in so many from one address and in all, and others once these are gone', async () => {
    await start({ maxPerSource: 3 });
    const first = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const client = connect();
        client.write('x');
        await once(client, 'data');
        return client;
      }),
    );
    const turnedAway = connect();
    turnedAway.write('x');
    await isClosed(turnedAway);
    first[0]?.destroy();
    const again = async () => {
      const client = connect();
      client.end('again');
      return await readText(client).catch(() => '');
    };
    await expect.poll(again).toBe('again');
  });

  test('is bounded in all', async () => {
    await start({ maxConnections: 2 });
    const open = [connect(), connect()];
    await Promise.all(open.map((client) => once(client, 'connect')));
    await isClosed(connect());
    expect(open.every((client) => !client.destroyed)).toBe(true);
  });

  test('resets a client when there is no enclave, and serves when it is there again', async () => {
    await start();
    await enclave?.close();
    const client = connect();
    client.write('x');
    await isClosed(client);
    enclave = await createUnixTransport({ directory, cid: ENCLAVE_CID }).listen(
      ENCLAVE_PORT.api,
      ({ stream }) => stream.pipe(stream),
    );
    const later = connect();
    later.end('back');
    expect(await readText(later)).toBe('back');
  });

  describe('behind a load balancer', () => {
    const header = (address: string) =>
      Buffer.concat([
        Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex'),
        Buffer.from(address.split('.').map(Number)),
        Buffer.from('0a00000104d201bb', 'hex'),
      ]);

    test('takes the PROXY header off before the enclave sees it', async () => {
      await start({ proxyProtocol: true });
      const client = connect();
      client.write(header('203.0.113.5'));
      client.end('payload');
      expect(await readText(client)).toBe('payload');
    });

    test('counts by the address in the header', async () => {
      await start({ proxyProtocol: true, maxPerSource: 1 });
      const one = connect();
      one.write(Buffer.concat([header('203.0.113.5'), Buffer.from('x')]));
      await once(one, 'data');
      const same = connect();
      same.write(Buffer.concat([header('203.0.113.5'), Buffer.from('x')]));
      await isClosed(same);
      const other = connect();
      other.end(Buffer.concat([header('203.0.113.6'), Buffer.from('other')]));
      expect(await readText(other)).toBe('other');
    });

    test.each([
      ['without a header', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
      ['with half of one', header('203.0.113.5').subarray(0, 20)],
    ])('cuts a client %s', async (_name, bytes) => {
      await start({ proxyProtocol: true, firstByteTimeoutMs: 100 });
      const client = connect();
      client.write(bytes);
      await isClosed(client);
      expect(accepted).toBe(0);
    });
  });
});
