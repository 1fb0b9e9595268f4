import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { nitroRoot } from '../client/fake-node.ts';
import { MeasuredChild } from '../support/memory/measured-child.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ATTEMPTS = 12;
const MB = 1e6;
/** Most shapes take 5 MB; with all pieces kept, the twelve took 300 within their three seconds. */
const MAX_GROWTH_MB = 60;

type Impostor = (socket: TLSSocket) => Promise<void>;

let directory: string;
const cleanups: (() => unknown)[] = [];
beforeEach(async () => {
  directory = temporaryFolder();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startImpostor(answer: Impostor): Promise<string> {
  const { certificate, privateKey } = await createTlsIdentity('node', Date.now());
  const open = new Set<TLSSocket>();
  const server = createServer({ cert: certificate, key: privateKey }, (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.resume();
    void answer(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const heard = (socket: TLSSocket) => new Promise((resolve) => socket.once('data', resolve));

/** The same bytes over and over, as fast as they are taken, in so many pieces. */
async function flood(socket: TLSSocket, piece: string, count: number): Promise<void> {
  for (let sent = 0; sent < count && !socket.destroyed; sent += 1) {
    if (!socket.write(piece))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), turn()]);
    if (sent % 64 === 63) await turn();
  }
}

const after = (head: string, piece: string, count: number): Impostor => {
  return async (socket) => {
    await heard(socket);
    socket.write(head);
    await flood(socket, piece, count);
  };
};

describe('a client does not grow by a parent that answers in place of its node', () => {
  it.each<[string, Impostor]>([
    ['nothing', async () => {}],
    [
      'chunks of one byte',
      after('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'.repeat(10_000), 100),
    ],
    ['a body byte by byte', after('HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n', 'x', 10_000)],
    ['a body without end', after('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536), 200)],
    [
      'a body longer than it was announced',
      after('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}', 'x'.repeat(65_536), 200),
    ],
    ['promises of an answer', after('', 'HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n'.repeat(500), 100)],
    ['headers without end', after('HTTP/1.1 200 OK\r\n', 'ab:c\r\n'.repeat(10_000), 20)],
    ['bytes that nobody has asked for yet', async (socket) => await flood(socket, 'x', 10_000)],
  ])('%s', async (_, impostor) => {
    const root = join(directory, 'root');
    await writeFile(root, nitroRoot.certificate);
    const url = await startImpostor(impostor);
    const module = new URL('../support/memory/client-process.ts', import.meta.url);
    const child = await MeasuredChild.start(module, url, `${ATTEMPTS}`, root);
    cleanups.push(() => child.end());
    const before = await child.measure();
    child.tell('begin');
    const { codes } = (await child.nextReady()) as { codes: string[] };
    expect(new Set(codes)).not.toContain('attested');
    expect((child.peak - before.resident) / MB).toBeLessThan(MAX_GROWTH_MB);
  });
});
