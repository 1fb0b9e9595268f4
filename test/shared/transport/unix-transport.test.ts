import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Accepted, Transport } from '../../../shared/transport/transport.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { transportCases } from './transport-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PARENT = 3;
const ENCLAVE = 16;
/** Longer than thousands of connections take on a busy machine. */
const LONG_MS = 170_000;
const SOURCE = join(import.meta.dirname, '../../../shared/transport/unix-transport.ts');

let root: string;
let directory: string;
beforeEach(async () => {
  root = temporaryFolder();
  directory = root;
});

function transportOf(cid: number, preambleTimeoutMs = 5_000): Transport {
  return createUnixTransport({ directory, cid, preambleTimeoutMs });
}

/** A process of its own that listens on the parent's port 7001 and dies without tidying up. */
async function leaveStaleSocket(): Promise<void> {
  const script = `
    import { createUnixTransport } from ${JSON.stringify(SOURCE)};
    const transport = createUnixTransport({ directory: process.argv[1], cid: ${PARENT} });
    await transport.listen(7001, () => {});
    process.stdout.write('listening');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(join(directory, '3-7001.sock'))).toBe(true);
}

describe('the Unix-socket transport', () => {
  describe('as every transport', () => {
    test.each(transportCases)('$name', async ({ run }) => {
      await expect(
        run({ server: transportOf(PARENT), client: transportOf(ENCLAVE), port: 7001 }),
      ).resolves.toBeUndefined();
    });
  });

  describe('with a path that no sockaddr_un holds', () => {
    test.each(transportCases)('$name', async ({ run }) => {
      directory = join(directory, 'deep'.repeat(40));
      await expect(
        run({ server: transportOf(PARENT), client: transportOf(ENCLAVE), port: 7001 }),
      ).resolves.toBeUndefined();
    });
  });

  test('takes over the socket file of a dead process', async () => {
    await leaveStaleSocket();
    const listener = await transportOf(PARENT).listen(7001, ({ stream }) => stream.end('alive'));
    const stream = await transportOf(ENCLAVE).connect({ cid: PARENT, port: 7001 }, { timeoutMs: 30_000 });
    expect(String((await once(stream, 'data'))[0])).toBe('alive');
    stream.destroy();
    await listener.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test('lets one of many win a dead process’s socket file', async () => {
    await leaveStaleSocket();
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => transportOf(PARENT).listen(7001, ({ stream }) => stream.end('won'))),
    );
    const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected')
        expect(attempt.reason).toMatchObject({ name: 'TransportError', code: 'ADDRESS_IN_USE' });
    }
    const stream = await transportOf(ENCLAVE).connect({ cid: PARENT, port: 7001 }, { timeoutMs: 30_000 });
    expect(String((await once(stream, 'data'))[0])).toBe('won');
    stream.destroy();
    await winners[0]?.value.close();
  });

  test('keeps its folder to its owner', async () => {
    directory = join(directory, 'sockets');
    const listener = await transportOf(PARENT).listen(7001, ({ stream }) => stream.destroy());
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await listener.close();
  });

  test('does not listen where the folder cannot be made', async () => {
    await writeFile(join(directory, 'file'), '');
    directory = join(directory, 'file', 'sockets');
    await expect(transportOf(PARENT).listen(7001, () => {})).rejects.toMatchObject({
      name: 'TransportError',
      code: 'LISTEN_FAILED',
    });
  });

  test('does not listen over a folder that has the name of a socket', async () => {
    await mkdir(join(directory, '3-7001.sock'));
    await expect(transportOf(PARENT).listen(7001, () => {})).rejects.toMatchObject({
      name: 'TransportError',
    });
  });

  test.each([-1, 1.5, 0x1_0000_0000, Number.NaN])('takes no CID or port %s', async (value) => {
    expect(() => transportOf(value)).toThrow(RangeError);
    const transport = transportOf(PARENT);
    await expect(transport.listen(value, () => {})).rejects.toThrow(RangeError);
    await expect(transport.connect({ cid: PARENT, port: value }, { timeoutMs: 10 })).rejects.toThrow(
      RangeError,
    );
  });

  describe('towards a connection without a proper preamble', () => {
    async function withRawConnection(
      act: (path: string, accepted: Accepted[]) => Promise<void>,
      preambleTimeoutMs = 5_000,
    ): Promise<void> {
      const accepted: Accepted[] = [];
      const listener = await transportOf(PARENT, preambleTimeoutMs).listen(7001, (one) => accepted.push(one));
      await act(join(directory, '3-7001.sock'), accepted);
      await listener.close();
    }

    test.each([
      ['another protocol', 'GET / HTTP/1.1\r\n\r\n', false],
      ['a preamble cut short', Buffer.from('4846560100000010', 'hex'), true],
      ['nothing at all', '', true],
    ])('closes it after %s', async (_name, bytes, end) => {
      await withRawConnection(async (path, accepted) => {
        const socket = createConnection(path);
        socket.on('error', () => {});
        if (end) socket.end(bytes);
        else socket.write(bytes);
        socket.resume();
        await once(socket, 'close');
        expect(accepted).toEqual([]);
      });
    });

    test('closes it when the preamble does not come in time', async () => {
      await withRawConnection(async (path, accepted) => {
        const socket = createConnection(path);
        socket.on('error', () => {});
        socket.write(Buffer.from('48', 'hex'));
        socket.resume();
        await once(socket, 'close');
        expect(accepted).toEqual([]);
      }, 50);
    });

    test('takes a preamble that comes byte by byte, and leaves what follows it', async () => {
      await withRawConnection(async (path, accepted) => {
        const socket = createConnection(path);
        for (const byte of Buffer.from('484656010000001000000005', 'hex')) {
          socket.write(Buffer.of(byte));
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
        socket.write('rest');
        while (accepted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(accepted[0]?.peer).toEqual({ cid: 16, port: 5 });
        if (accepted[0]) expect(String((await once(accepted[0].stream, 'data'))[0])).toBe('rest');
        socket.destroy();
      });
    });
  });

  test('waits for a place in a full backlog as long as its deadline allows', async () => {
    // Far more connections at once than the backlog holds: each must arrive.
    let count = 0;
    const listener = await transportOf(PARENT, LONG_MS).listen(7001, ({ stream }) => {
      count += 1;
      stream.end();
    });
    const client = transportOf(ENCLAVE);
    await Promise.all(
      Array.from({ length: 2_500 }, async () => {
        const stream = await client.connect({ cid: PARENT, port: 7001 }, { timeoutMs: LONG_MS });
        stream.resume();
        await once(stream, 'end');
        stream.destroy();
      }),
    );
    expect(count).toBe(2_500);
    await listener.close();
  });
});
