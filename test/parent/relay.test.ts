import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startRelay, type Relay } from '../../parent/common/relay.ts';
import { loadNative } from '../../shared/native/addon.ts';
import { openSocketPairs, type SocketPairs } from '../support/socket-pairs.ts';

const hasAddon = existsSync(join(import.meta.dirname, '../../build/holdfast.node'));
const MEBIBYTE = 1024 * 1024;

let pairs: SocketPairs;

beforeEach(async () => {
  pairs = await openSocketPairs({ pauseOnConnect: true });
});
afterEach(() => {
  pairs.close();
});

/** A stream of node:net as the vsock transport makes one: another connection under the number of a placeholder. */
function adopt(socket: Socket): Socket {
  const native = loadNative();
  const slot = native.placeholder();
  const adopted = new Socket({ fd: slot, readable: true, writable: true, allowHalfOpen: true });
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  native.replace(fd, slot);
  // node:net owns the number of the old one still, and closes it: there must be something under it.
  const stopgaps: number[] = [];
  while (stopgaps.at(-1) !== fd) stopgaps.push(native.placeholder());
  for (const stopgap of stopgaps.slice(0, -1)) native.close(stopgap);
  adopted.on('error', () => {});
  pairs.add(adopted);
  return adopted;
}

/** The same bytes as a stream that is no socket. */
function wrap(socket: Socket): Duplex {
  return Duplex.from({ readable: socket, writable: socket } as never);
}

interface Joined {
  readonly client: Socket;
  readonly target: Socket;
  readonly relay: Relay;
  readonly closed: Promise<void>;
}

async function joinPairs(change: (near: Socket) => Duplex): Promise<Joined> {
  const [client, near] = await pairs.make();
  const [far, target] = await pairs.make();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const relay = startRelay(change(near), far, () => performance.now(), resolve);
  return { client, target, relay, closed };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes in pieces of all sizes, some with a pause before. */
async function writeAll(stream: Duplex, bytes: Buffer): Promise<void> {
  for (let at = 0, piece = 1; at < bytes.length; piece = (piece * 7 + 11) % 300_000) {
    if (!stream.write(bytes.subarray(at, at + piece))) await once(stream, 'drain');
    at += piece;
    if (piece % 5 === 0) await sleep(1);
  }
  stream.end();
}

/** Reads with pauses, so that what is sent has to wait. */
async function readAll(stream: Duplex, pauseMs = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    if (pauseMs > 0 && chunks.length % 4 === 1) await sleep(pauseMs);
  }
  return Buffer.concat(chunks);
}

describe.each([
  ['sockets', (near: Socket) => near, true],
  ['a stream that is no socket', wrap, true],
  ['a descriptor under the number of a placeholder', adopt, hasAddon],
] as const)('a relay between %s', (_name, change, canRun) => {
  test.skipIf(!canRun)('changes no byte of many streams at once, however slowly they are read', async () => {
    const joined: Joined[] = [];
    while (joined.length < 12) joined.push(await joinPairs(change));
    const results = await Promise.all(
      joined.map(async ({ client, target, closed }, index) => {
        // While some wait, the others use the buffers that these have given back.
        const pauseMs = index % 2 === 0 ? 10 : 0;
        const [up, down] = [randomBytes(3 * MEBIBYTE), randomBytes(3 * MEBIBYTE)];
        const [atTarget, atClient] = await Promise.all([
          readAll(target, pauseMs),
          readAll(client, pauseMs),
          writeAll(client, up),
          writeAll(target, down),
        ]);
        await closed;
        return digest(atTarget) === digest(up) && digest(atClient) === digest(down);
      }),
    );
    expect(results).toEqual(results.map(() => true));
  });

  test.skipIf(!canRun)('passes on what came and ended before it began', async () => {
    const [client, near] = await pairs.make();
    const [far, target] = await pairs.make();
    const stream = change(near);
    client.end('question');
    target.write('greeting');
    for (const end of [stream, far]) end.read(0);
    await sleep(50);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const relay = startRelay(stream, far, () => 7, resolve);
    expect(String(await readAll(target))).toBe('question');
    target.end(' and answer');
    expect(String(await readAll(client))).toBe('greeting and answer');
    await closed;
    expect(relay.last).toEqual({ from: 'far', at: 7 });
  });

  test.skipIf(!canRun)('passes on all that came before it began, in however many pieces', async () => {
    const [client, near] = await pairs.make();
    const [far, target] = await pairs.make();
    const stream = change(near);
    for (const piece of ['a', 'long', 'question']) {
      client.write(piece);
      target.write(piece.toUpperCase());
      await sleep(20);
      for (const end of [stream, far]) end.read(0);
      await sleep(20);
    }
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    startRelay(stream, far, () => 7, resolve);
    for (const end of [client, target]) end.end('.');
    expect(String(await readAll(target))).toBe('alongquestion.');
    expect(String(await readAll(client))).toBe('ALONGQUESTION.');
    await closed;
  });

  test.skipIf(!canRun)('takes the connection over where it can', async () => {
    const [near, far] = [(await pairs.make())[0], (await pairs.make())[0]];
    const stream = change(near);
    const relay = startRelay(
      stream,
      far,
      () => performance.now(),
      () => {},
    );
    expect(stream.destroyed).toBe(stream instanceof Socket);
    expect(relay.near === stream).toBe(!(stream instanceof Socket));
  });

  test.skipIf(!canRun)('says of which end bytes came last', async () => {
    const { client, target, relay } = await joinPairs(change);
    expect(relay.last).toBeUndefined();
    client.write('question');
    target.resume();
    await once(target, 'data');
    expect(relay.last?.from).toBe('near');
    target.write('answer');
    await once(client, 'data');
    expect(relay.last?.from).toBe('far');
  });

  test.skipIf(!canRun)('ends one end when the other has broken', async () => {
    const { client, target, closed } = await joinPairs(change);
    client.write('x');
    target.resume();
    await once(target, 'data');
    target.destroy();
    client.resume();
    await once(client, 'end');
    client.destroy();
    await expect(closed).resolves.toBeUndefined();
  });
});
