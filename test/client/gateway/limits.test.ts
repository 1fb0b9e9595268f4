import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type GatewayProtocol,
  GatewayNodes,
  silentGatewayLog,
  startGatewayServer,
} from '../../../client/gateway/index.ts';
import { createEthereumProtocol } from '../../../client/gateway/ethereum/index.ts';
import { createKmsDoor } from '../../../client/gateway/kms/door.ts';
import { createTezosProtocol } from '../../../client/gateway/tezos/index.ts';
import { createAuthority } from '../../parent/peers/authority.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { backend, trust } from '../fake-node.ts';
import { post, RawClient, startTestDoor } from './door.ts';
import { MANIFEST } from './kms/fake-pool-node.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const start = async (options?: Parameters<typeof startTestDoor>[0]) => {
  const door = await startTestDoor(options);
  closing.push(() => door.server.close());
  return door;
};
const open = async (port: number) => {
  const client = await RawClient.open(port);
  closing.push(() => client.socket.destroy());
  return client;
};

const folder = temporaryFolder();
const [authority, stranger] = [createAuthority(folder), createAuthority(folder, 'other')];
const own = authority.issue('door', ['DNS:door.example', 'IP:127.0.0.1']);
const client = authority.issue('client', ['DNS:client.example']);
const foreign = stranger.issue('foreign', ['DNS:client.example']);
const read = (path: string) => readFileSync(path);
const tls = { certificate: read(own.certificate), key: read(own.key) };

interface Presented {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** Asks a door by HTTPS; returns the status, or the code of what TLS refused. */
function ask(port: number, { ca = authority.ca, certificate, key }: Presented = {}): Promise<unknown> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/',
        agent: false,
        ca: read(ca),
        ...(certificate === undefined ? {} : { cert: read(certificate) }),
        ...(key === undefined ? {} : { key: read(key) }),
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      },
    );
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    sent.end('hello');
  });
}

describe('a door with TLS', () => {
  it('is believed by who trusts its authority, and by nobody else', async () => {
    const { port, events } = await start({ listen: { port: 0, tls } });
    expect(await ask(port)).toBe(200);
    expect(await ask(port, { ca: stranger.ca })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(events.filter(({ code }) => code === 'OK')).toHaveLength(1);
  });

  it('reads no request of a client without a certificate of its authority', async () => {
    let handled = 0;
    const { port } = await start({
      listen: { port: 0, tls: { ...tls, clients: read(authority.ca) } },
      handle: ({ body }) => {
        handled += 1;
        return Promise.resolve({ status: 200, headers: {}, body, record: { code: 'OK' } });
      },
    });
    expect(await ask(port)).toMatch(/^ERR_SSL_|^ECONNRESET$|^EPIPE$/);
    const { certificate, key } = foreign;
    expect(await ask(port, { certificate, key })).toMatch(/^ERR_SSL_|^ECONNRESET$|^EPIPE$/);
    expect(handled).toBe(0);
    expect(await ask(port, { certificate: client.certificate, key: client.key })).toBe(200);
    expect(handled).toBe(1);
  });

  it('speaks no version of TLS before 1.2', async () => {
    const { port } = await start({ listen: { port: 0, tls } });
    const code = await new Promise((resolve) => {
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        ca: read(authority.ca),
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      socket.once('secureConnect', () => resolve('connected'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(code).toMatch(/^ERR_SSL_/);
  });

  it('cuts off who begins no handshake, and writes no request into its log', async () => {
    const { port, events, others } = await start({
      listen: { port: 0, tls },
      limits: { handshakeMs: 1_000 },
    });
    const silent = await open(port);
    await silent.ended;
    const plain = await open(port);
    plain.socket.write(post('hello'));
    await plain.ended;
    expect(plain.text).not.toContain('HTTP/1.1 200');
    expect(events).toEqual([]);
    expect(others).toEqual(['tls.refused', 'tls.refused']);
    expect(await ask(port)).toBe(200);
  });

  it('does not wait for handshakes when it stops', async () => {
    const { port, server } = await start({ listen: { port: 0, tls } });
    const silent = await open(port);
    expect(await ask(port)).toBe(200);
    await server.close();
    await silent.ended;
  });
});

describe('a client that takes its time', () => {
  const limits = { headMs: 200, requestMs: 400, checkMs: 50 };

  it.each([
    ['the head', 'POST / HTTP/1.1\r\nHost: d\r\nx: '],
    ['the body', 'POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 900\r\n\r\n'],
  ])('with %s, byte after byte, is cut off in the time that a request has', async (_, head) => {
    let handled = 0;
    const { port } = await start({
      limits,
      handle: ({ body }) => {
        handled += 1;
        return Promise.resolve({ status: 200, headers: {}, body, record: { code: 'OK' } });
      },
    });
    const slow = await open(port);
    const state = { isEnded: false };
    void slow.ended.then(() => (state.isEnded = true));
    slow.socket.write(head);
    const deadline = Date.now() + 10_000;
    while (!state.isEnded && Date.now() < deadline) {
      slow.socket.write('a');
      await sleep(20);
    }
    expect(state.isEnded).toBe(true);
    expect(handled).toBe(0);
    const quick = await open(port);
    quick.socket.write(post('others'));
    expect(await quick.until(/others$/)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('to read its response is cut off when nothing has moved for long', async () => {
    const { port, events } = await start({
      limits: { stalledMs: 200 },
      handle: () =>
        Promise.resolve({
          status: 200,
          headers: {},
          body: Buffer.alloc(32 * 1024 * 1024),
          record: { code: 'OK' },
        }),
    });
    const { socket } = await open(port);
    socket.pause();
    socket.write(post('much'));
    const deadline = Date.now() + 10_000;
    while (events.length === 0 && Date.now() < deadline) await sleep(20);
    expect(events).toMatchObject([{ isDelivered: false }]);
  });
});

describe('more connections than a door takes', () => {
  it('are closed', async () => {
    const { port } = await start({ limits: { maxConnections: 3 } });
    const busy = [await open(port), await open(port), await open(port)] as const;
    for (const { socket } of busy) socket.write('POST / HTTP/1.1\r\n');
    const over = await open(port);
    await over.ended;
    expect(over.text).toBe('');
    busy[0].socket.write('Host: d\r\nContent-Length: 4\r\n\r\nbusy');
    expect(await busy[0].until(/busy$/)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('are taken where others do nothing, which make room', async () => {
    const { port } = await start({ limits: { maxWithIdle: 4 } });
    const idle = [await open(port), await open(port), await open(port)];
    for (const each of idle) {
      each.socket.write(post('one'));
      await each.until(/one$/);
    }
    const late = await open(port);
    await Promise.all(idle.map(({ ended }) => ended));
    late.socket.write(post('late'));
    expect(await late.until(/late$/)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a request that is too long for a door', () => {
  const nodes = new GatewayNodes({
    nodes: [{ url: 'https://127.0.0.1:1', trust: trust({ manifest: MANIFEST }) }],
    clients: [{ id: 'backend', privateKey: backend.privateKey }],
    log: silentGatewayLog,
    timeoutMs: 1_000,
    readyMs: 1_000,
  });
  const asked = nodes.client('backend');
  const doors: [string, GatewayProtocol, RegExp][] = [
    [
      'KMS',
      createKmsDoor({
        nodes,
        credentials: [{ accessKeyId: 'HFAKTEST000000000001', secretAccessKey: 'a', client: 'backend' }],
        scope: { region: 'eu-central-1', accountId: '111122223333' },
        waitMs: 0,
      }),
      /"__type":"Request(?:EntityTooLargeException|HeaderSectionTooLarge)"/,
    ],
    [
      'Tezos',
      createTezosProtocol({ nodes: asked, section: { client: 'backend', proofOfPossession: false } }),
      /\[\{"id":"failure","kind":"temporary","msg":"(?:REQUEST|HEADERS)_TOO_LARGE"\}\]$/,
    ],
    [
      'Ethereum',
      createEthereumProtocol({ nodes: asked, section: { client: 'backend' } }),
      /(?:REQUEST|HEADERS)_TOO_LARGE: the door did not take the request$/,
    ],
  ];

  it.each(doors)('of %s is refused by its head, in the form of its protocol', async (_, protocol, form) => {
    const server = await startGatewayServer({
      listen: { port: 0 },
      protocol,
      probes: { readiness: () => nodes.readiness },
      log: silentGatewayLog,
      drainMs: 0,
    });
    closing.push(() => server.close());
    const port = server.address.port ?? 0;
    const head = 'POST / HTTP/1.1\r\nHost: d\r\n';
    for (const [status, bytes] of [
      [413, `${head}Content-Length: ${protocol.maxBodyBytes + 1}\r\n\r\n`],
      [431, `${head}x: ${'a'.repeat(9_000)}\r\n\r\n`],
    ] as const) {
      const raw = await open(port);
      raw.socket.write(bytes);
      await raw.ended;
      expect(raw.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(raw.text).toMatch(form);
    }
  });
});
