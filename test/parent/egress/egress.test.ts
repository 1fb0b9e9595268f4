import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openNetworks } from '../../../parent/egress/targets.ts';
import { ParentOptionError } from '../../../parent/common/errors.ts';
import { startParent, type Log, type Parent, type ParentOptions } from '../../../parent/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import { openEgress } from '../../../shared/protocol/egress-client.ts';
import { PARENT_CID, PARENT_PORT } from '../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { freePort } from '../../support/free-ports.ts';
import { measureHoldings } from '../../support/leaks.ts';
import { ENCLAVE_CID, parentOptions } from '../../support/parent-options.ts';
import { readBytes } from '../../support/read-stream.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MEBIBYTE = 1024 * 1024;
/** What a connection may leave behind on average. */
const BYTES_LEFT_EACH = 300;

let directory: string;
let parent: Parent | undefined;
const servers: Server[] = [];
const sockets = new Set<Socket>();
let events: { event: string; fields: Record<string, unknown> }[];

beforeEach(async () => {
  directory = temporaryFolder();
  events = [];
});
afterEach(async () => {
  await parent?.close(0);
  parent = undefined;
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

const log: Log = (_level, event, fields = {}) => events.push({ event, fields });

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function start(egress: ParentOptions['egress']): Promise<void> {
  parent = await startParent(
    parentOptions(directory, {
      status: { port: 0 },
      egress,
      log,
    }),
  );
}

const enclave = () => createUnixTransport({ directory, cid: ENCLAVE_CID });

function target(host: string, port: number) {
  return { host, port: 443, connectTo: { address: '127.0.0.1', port } };
}

async function open(host = 'kms.example.com', timeoutMs = 30_000): Promise<Duplex> {
  const stream = await openEgress(enclave(), { host, port: 443 }, { timeoutMs });
  stream.on('error', () => {});
  return stream;
}

/** Until a stream has ended or broken: over Unix sockets the other end's destruction looks like an end. */
function isGone(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    // On a busy machine it may have been cut before anybody looked.
    if (stream.readableEnded || stream.destroyed) return resolve();
    stream.once('end', resolve);
    stream.once('close', resolve);
    stream.resume();
  });
}

describe('egress', () => {
  test('cuts connections on which nothing moves, and serves others meanwhile', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    // Longer than a machine stands still: what moves would be silent meanwhile.
    await start({ targets: [target('kms.example.com', port)], idleTimeoutMs: 5_000 });
    const silent = await Promise.all(Array.from({ length: 64 }, () => open()));
    const busy = await open();
    busy.write('ping');
    expect(String((await once(busy, 'data'))[0])).toBe('ping');
    const chatter = setInterval(() => busy.write('.'), 50);
    await Promise.all(silent.map((stream) => isGone(stream)));
    for (const stream of silent) stream.destroy();
    expect(busy.destroyed).toBe(false);
    clearInterval(chatter);
    busy.destroy();
    await expect.poll(() => events.filter(({ fields }) => fields['cut'] === 'IDLE').length).toBe(64);
  });

  test('cuts a connection at the end of its life, however busy', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)], lifetimeMs: 300 });
    const stream = await open();
    const chatter = setInterval(() => stream.writable && stream.write('.'), 20);
    await isGone(stream);
    clearInterval(chatter);
    await expect.poll(() => events.some(({ fields }) => fields['cut'] === 'LIFETIME')).toBe(true);
  });

  test('gives up a target that does not answer', async () => {
    const started = performance.now();
    // TEST-NET-1 goes nowhere; where a network answers for it at once, that is a refusal as well.
    await start({
      targets: [{ host: 'kms.example.com', port: 443, connectTo: { address: '192.0.2.1', port: 443 } }],
      connectTimeoutMs: 300,
    });
    await expect(open()).rejects.toMatchObject({
      code: expect.stringMatching(/^EGRESS_CONNECT_(TIMEOUT|FAILED)$/) as string,
    });
    // The system's own patience is two minutes.
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  test('refuses the one connection whose host has no address, and serves the next', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    let failing = true;
    await start({
      targets: [{ host: 'kms.example.com', port, networks: ['127.0.0.0/8'] }],
      lookUp: () => (failing ? Promise.reject(new Error('SERVFAIL')) : Promise.resolve(['127.0.0.1'])),
    });
    const connect = () => openEgress(enclave(), { host: 'kms.example.com', port }, { timeoutMs: 30_000 });
    await expect(connect()).rejects.toMatchObject({ code: 'EGRESS_DNS_FAILED' });
    failing = false;
    const stream = await connect();
    stream.end('after');
    expect(String(await readBytes(stream))).toBe('after');
  });

  test('refuses the one connection whose target refuses, and serves the next', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('down.example.com', await freePort()), target('up.example.com', port)] });
    for (let count = 0; count < 20; count += 1) {
      await expect(open('down.example.com')).rejects.toMatchObject({ code: 'EGRESS_CONNECT_FAILED' });
    }
    const stream = await open('up.example.com');
    stream.end('up');
    expect(String(await readBytes(stream))).toBe('up');
  });

  test('tries the next address when one refuses', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({
      targets: [{ host: 'kms.example.com', port, networks: ['127.0.0.0/8'] }],
      lookUp: () => Promise.resolve(['127.0.0.2', '127.0.0.1']),
    });
    const stream = await openEgress(enclave(), { host: 'kms.example.com', port }, { timeoutMs: 30_000 });
    stream.end('second address');
    expect(String(await readBytes(stream))).toBe('second address');
  });

  test('delivers the last bytes of an answer that comes after the question has ended', async () => {
    const answer = randomBytes(4 * MEBIBYTE);
    const port = await listen((socket) => {
      socket.resume();
      socket.on('end', () => setTimeout(() => socket.end(answer), 50));
    });
    await start({ targets: [target('kms.example.com', port)] });
    const stream = await open();
    stream.end('question');
    expect((await readBytes(stream)).equals(answer)).toBe(true);
  });

  test('delivers the last bytes of a request after the target has ended its side', async () => {
    const request = randomBytes(4 * MEBIBYTE);
    const received = Promise.withResolvers<Buffer>();
    const port = await listen((socket) => {
      socket.end('enough');
      received.resolve(readBytes(socket));
    });
    await start({ targets: [target('kms.example.com', port)] });
    const stream = await open();
    expect(String(await readBytes(stream))).toBe('enough');
    stream.end(request);
    expect((await received.promise).equals(request)).toBe(true);
  });

  test('holds a sender back while the other side does not read', async () => {
    const taken = Promise.withResolvers<Socket>();
    const port = await listen((socket) => taken.resolve(socket.pause()));
    await start({ targets: [target('kms.example.com', port)] });
    const stream = await open();
    const before = process.memoryUsage().arrayBuffers;
    const payload = randomBytes(MEBIBYTE);
    let sent = 0;
    for (let stalled = 0; stalled < 10 && sent < 256;) {
      if (stream.writableNeedDrain) {
        stalled += 1;
        await sleep(20);
      } else {
        stalled = 0;
        stream.write(payload);
        sent += 1;
      }
    }
    expect(sent).toBeLessThan(256);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MEBIBYTE);
    stream.end();
    const socket = await taken.promise;
    expect((await readBytes(socket)).length).toBe(sent * MEBIBYTE);
  });

  test('refuses a port out of range, whatever its lower half', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)] });
    await expect(
      openEgress(enclave(), { host: 'kms.example.com', port: 65_979 }, { timeoutMs: 30_000 }),
    ).rejects.toMatchObject({ code: 'EGRESS_BAD_REQUEST' });
  });

  test('connects nobody but the enclave', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)] });
    const stranger = createUnixTransport({ directory, cid: 99 });
    await expect(
      openEgress(stranger, { host: 'kms.example.com', port: 443 }, { timeoutMs: 30_000 }),
    ).rejects.toMatchObject({ name: 'EgressError' });
    expect(events.some(({ event, fields }) => event === 'egress.turned-away' && fields['cid'] === 99)).toBe(
      true,
    );
  });

  test.each(['169.254.169.254', '127.0.0.1', '10.0.0.1', '::1', '::ffff:169.254.169.254', 'fd00:ec2::254'])(
    'does not follow a name to %s',
    async (address) => {
      await start({
        targets: [{ host: 'rebound.example.com', port: 443 }],
        lookUp: () => Promise.resolve([address]),
      });
      await expect(open('rebound.example.com')).rejects.toMatchObject({ code: 'EGRESS_ADDRESS_FORBIDDEN' });
    },
  );

  test('follows a name into a network that is opened, and says which address lies outside of it', async () => {
    const targets = [{ host: 'kms.example.com', port: 443 }];
    // TEST-NET-1 goes nowhere: that the connection fails or waits shows that it was let out.
    const lookUp = () => Promise.resolve(['192.0.2.1']);
    await start({ targets, lookUp, connectTimeoutMs: 300 });
    await expect(open()).rejects.toMatchObject({ code: 'EGRESS_ADDRESS_FORBIDDEN' });
    expect(events.find(({ event }) => event === 'egress.refused')?.fields).toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      address: '192.0.2.1',
    });
    parent?.reloadTargets(openNetworks(targets, ['192.0.2.0/24']));
    await expect(open()).rejects.toMatchObject({
      code: expect.stringMatching(/^EGRESS_CONNECT_(TIMEOUT|FAILED)$/) as string,
    });
  });

  test('lets no answer of DNS onto the list, neither its address nor another name for it', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({
      targets: [{ host: 'kms.example.com', port, networks: ['127.0.0.0/8'] }],
      lookUp: () => Promise.resolve(['127.0.0.1']),
    });
    const connect = (host: string) => openEgress(enclave(), { host, port }, { timeoutMs: 30_000 });
    const stream = await connect('kms.example.com');
    stream.end('by its name');
    expect(String(await readBytes(stream))).toBe('by its name');
    for (const host of ['127.0.0.1', 'other.example.com', 'example.com']) {
      await expect(connect(host)).rejects.toMatchObject({ code: 'EGRESS_TARGET_FORBIDDEN' });
    }
  });

  test('ends the enclave’s stream when the target resets', async () => {
    const port = await listen((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await start({ targets: [target('kms.example.com', port)] });
    const stream = await open();
    stream.write('x');
    await isGone(stream);
    await expect.poll(() => events.some(({ event }) => event === 'egress.closed')).toBe(true);
    stream.destroy();
  });

  test('drops the target when the enclave vanishes mid-stream', async () => {
    const closed = Promise.withResolvers<void>();
    const port = await listen((socket) => {
      socket.resume();
      socket.once('close', () => closed.resolve());
      const flood = setInterval(() => socket.writable && socket.write(Buffer.alloc(65_536)), 5);
      socket.once('close', () => clearInterval(flood));
    });
    await start({ targets: [target('kms.example.com', port)] });
    const stream = await open();
    await once(stream, 'data');
    stream.destroy();
    await expect(closed.promise).resolves.toBeUndefined();
  });

  test('queues what comes over its cap, and refuses what comes on top', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({
      targets: [target('kms.example.com', port)],
      maxConnections: 2,
      maxWaiting: 1,
      waitMs: 120_000,
    });
    const first = await open();
    const second = await open();
    // Of two that come at the same time, one waits for its turn, and the other is refused at once.
    const late = [1, 2].map(() => open('kms.example.com', 120_000));
    const refusals = late.map((one) => one.then(() => Promise.reject(new Error('let in')), errorCode));
    expect(await Promise.any(refusals)).toBe('EGRESS_OVERLOADED');
    first.destroy();
    const waited = (await Promise.allSettled(late)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    );
    expect(waited).toHaveLength(1);
    for (const stream of [...waited, second]) stream.destroy();
    (await open()).destroy();
  });

  test('refuses what waits too long for its turn', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({
      targets: [target('kms.example.com', port)],
      maxConnections: 1,
      maxWaiting: 1,
      waitMs: 100,
    });
    const first = await open();
    await expect(open()).rejects.toMatchObject({ code: 'EGRESS_OVERLOADED' });
    first.destroy();
  });

  test('is not held up by connections that never say where to', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)], maxConnections: 4 });
    const mute = await Promise.all(
      Array.from({ length: 32 }, () =>
        enclave().connect({ cid: PARENT_CID, port: PARENT_PORT.egress }, { timeoutMs: 30_000 }),
      ),
    );
    const stream = await open();
    stream.end('served');
    expect(String(await readBytes(stream))).toBe('served');
    for (const one of mute) one.destroy();
  });

  test('has so many connections that have not said where to and no more, and says so', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)], maxUnnamed: 8 });
    const mute = await Promise.all(
      Array.from({ length: 8 }, () =>
        enclave().connect({ cid: PARENT_CID, port: PARENT_PORT.egress }, { timeoutMs: 30_000 }),
      ),
    );
    await expect(open()).rejects.toMatchObject({ code: 'EGRESS_TOO_MANY_UNNAMED' });
    expect(await (await fetch(`${parent?.statusUrl}/metrics`)).text()).toContain(
      'holdfast_connections_total{direction="egress",outcome="TOO_MANY_UNNAMED"} 1',
    );
    for (const one of mute) one.destroy();
    await expect.poll(() => open().then((stream) => stream.destroy().destroyed)).toBe(true);
  });

  test('leaks nothing over 10,000 connections, of which half are dropped in the middle', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)], maxConnections: 64 });
    const round = async (count: number) => {
      for (let done = 0; done < count; done += 50) {
        await Promise.all(
          Array.from({ length: 50 }, async (_, index) => {
            const stream = await open();
            if (index % 2 === 0) {
              stream.write('dropped');
              stream.destroy();
              return;
            }
            stream.end('kept');
            expect(String(await readBytes(stream))).toBe('kept');
            stream.destroy();
          }),
        );
      }
      await expect
        .poll(async () => await (await fetch(`${parent?.statusUrl}/metrics`)).text())
        .toContain('holdfast_connections_open{direction="egress"} 0');
      events = [];
    };
    await round(200);
    const before = await measureHoldings();
    await round(10_000);
    const after = await measureHoldings();
    expect(after.bytes - before.bytes).toBeLessThan(10_000 * BYTES_LEFT_EACH);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 4);
    expect(after.resources).toBeLessThanOrEqual(before.resources + 8);
  }, 180_000);

  test('leads from a port of its own to one target, without frames', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({
      targets: [target('kms.example.com', port)],
      ports: [{ listen: 8_000, host: 'kms.example.com', port: 443 }],
    });
    const stream = await enclave().connect({ cid: PARENT_CID, port: 8_000 }, { timeoutMs: 30_000 });
    stream.end('plain');
    expect(String(await readBytes(stream))).toBe('plain');
    stream.destroy();
  });

  test('has no port that leads to what is not on the list', async () => {
    const ports = [{ listen: 8_000, host: 'kms.example.com', port: 443 }];
    await expect(start({ targets: [], ports })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('takes another list while it runs, and keeps the old one when the new one is wrong', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('old.example.com', port)] });
    const stream = await open('old.example.com');
    parent?.reloadTargets([target('new.example.com', port)]);
    await expect(open('old.example.com')).rejects.toMatchObject({ code: 'EGRESS_TARGET_FORBIDDEN' });
    (await open('new.example.com')).destroy();
    expect(() => parent?.reloadTargets([{ host: 'bad host', port: 443 }])).toThrow(ParentOptionError);
    (await open('new.example.com')).destroy();
    stream.end('still open');
    expect(String(await readBytes(stream))).toBe('still open');
  });

  test('drains on stop: what is under way ends by itself, what hangs is cut', async () => {
    const port = await listen((socket) => {
      socket.resume();
      socket.on('end', () => setTimeout(() => socket.end('late answer'), 200));
    });
    await start({ targets: [target('kms.example.com', port)] });
    const asking = await open();
    asking.end('question');
    const hanging = await open();
    hanging.resume();
    const closing = parent?.close(600);
    expect(String(await readBytes(asking))).toBe('late answer');
    await closing;
    parent = undefined;
    expect(events.some(({ fields }) => fields['cut'] === 'STOPPED')).toBe(true);
    hanging.destroy();
  });

  test('does not wait for a kept connection on which nothing is under way when it stops', async () => {
    const port = await listen((socket) => {
      socket.on('data', (question: Buffer) => {
        if (String(question) !== 'unanswered') setTimeout(() => socket.write('answer'), 20);
        else setTimeout(() => socket.end('late answer'), 600);
      });
    });
    await start({ targets: [target('kms.example.com', port)] });
    const kept = await open();
    kept.write('question');
    await once(kept, 'data');
    const asking = await open();
    asking.write('unanswered');
    const closedAt: Record<string, number> = {};
    kept.once('end', () => (closedAt['kept'] = performance.now()));
    const answer = readBytes(asking).then((bytes) => {
      closedAt['asking'] = performance.now();
      return String(bytes);
    });
    asking.once('end', () => asking.end());
    await parent?.close(10_000);
    parent = undefined;
    expect(await answer).toBe('late answer');
    expect(closedAt['kept']).toBeLessThan(closedAt['asking'] ?? 0);
    kept.destroy();
  });

  test('logs hosts, codes and counts, and nothing of what flows', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    await start({ targets: [target('kms.example.com', port)] });
    const stream = await open();
    stream.end('AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE');
    await readBytes(stream);
    stream.destroy();
    await expect.poll(() => events.some(({ event }) => event === 'egress.closed')).toBe(true);
    expect(JSON.stringify(events)).not.toContain('AKID');
    expect(events.find(({ event }) => event === 'egress.closed')?.fields).toMatchObject({
      host: 'kms.example.com',
      port: 443,
      sent: 39,
      received: 39,
    });
  });
});
