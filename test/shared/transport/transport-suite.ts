import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { TransportError, type TransportErrorCode } from '../../../shared/transport/errors.ts';
import type { Accepted, Listener, Transport } from '../../../shared/transport/transport.ts';
import { readBytes } from '../../support/read-stream.ts';

/** Two ends that can reach each other; both may be the same transport where a machine has one CID only. */
export interface TransportPair {
  readonly server: Transport;
  readonly client: Transport;
  /** A port of the server that nobody else uses. */
  readonly port: number;
}

export interface TransportCase {
  readonly name: string;
  readonly run: (pair: TransportPair) => Promise<void>;
}

const TIMEOUT = { timeoutMs: 30_000 };
const MEBIBYTE = 1024 * 1024;

async function withConnection(
  pair: TransportPair,
  act: (client: Duplex, accepted: Accepted) => Promise<void>,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Accepted>();
  const listener = await pair.server.listen(pair.port, resolve);
  try {
    const client = await pair.client.connect({ cid: pair.server.cid, port: pair.port }, TIMEOUT);
    try {
      await act(client, await promise);
    } finally {
      client.destroy();
    }
  } finally {
    await listener.close();
  }
}

async function assertCode(promise: Promise<unknown>, ...codes: TransportErrorCode[]): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof TransportError && codes.includes(error.code));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Cases that every transport passes: plain functions, so that they also run where there is no test runner. */
export const transportCases: readonly TransportCase[] = [
  {
    name: 'carries bytes both ways',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        client.write('ping');
        assert.equal(String((await once(stream, 'data'))[0]), 'ping');
        stream.write('pong');
        assert.equal(String((await once(client, 'data'))[0]), 'pong');
      }),
  },
  {
    name: 'tells the listener the CID of the other end',
    run: (pair) =>
      withConnection(pair, async (_client, { peer }) => {
        assert.equal(peer.cid, pair.client.cid);
        assert.ok(Number.isInteger(peer.port));
        await Promise.resolve();
      }),
  },
  {
    name: 'loses nothing when the accepting end reads late',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        client.end('early');
        await sleep(100);
        assert.equal(String(await readBytes(stream)), 'early');
      }),
  },
  {
    name: 'lets the accepting end answer after the connecting end has ended',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        client.end('question');
        const question = await readBytes(stream);
        await sleep(20);
        stream.end(`answer to ${String(question)}`);
        assert.equal(String(await readBytes(client)), 'answer to question');
      }),
  },
  {
    name: 'lets the connecting end go on after the accepting end has ended',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        stream.end('goodbye');
        assert.equal(String(await readBytes(client)), 'goodbye');
        client.end('still here');
        assert.equal(String(await readBytes(stream)), 'still here');
      }),
  },
  {
    name: 'echoes 8 MiB without changing a byte',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        const payload = randomBytes(8 * MEBIBYTE);
        stream.pipe(stream);
        client.end(payload);
        const echo = await readBytes(client);
        assert.equal(echo.length, payload.length);
        assert.equal(digest(echo), digest(payload));
      }),
  },
  {
    name: 'holds a writer back while nobody reads',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        const chunk = Buffer.alloc(64 * 1024, 7);
        let written = 0;
        while (client.write(chunk) && written < 64 * MEBIBYTE) written += chunk.length;
        // A kernel buffer takes its share; then the writer waits.
        for (let wait = 0; wait < 20 && !client.writableNeedDrain; wait += 1) await sleep(10);
        let idle = 0;
        while (idle < 5 && written < 64 * MEBIBYTE) {
          if (client.writableNeedDrain) {
            idle += 1;
            await sleep(20);
          } else {
            idle = 0;
            client.write(chunk);
            written += chunk.length;
          }
        }
        assert.ok(written < 64 * MEBIBYTE, 'the writer was never held back');
        const received = readBytes(stream);
        client.end();
        const total = await received;
        assert.ok(total.length >= written);
      }),
  },
  {
    name: 'shows the other end that a stream was destroyed',
    run: (pair) =>
      withConnection(pair, async (client, { stream }) => {
        const closed = new Promise<void>((resolve) => {
          client.on('error', () => resolve());
          client.on('end', () => resolve());
          client.on('close', () => resolve());
        });
        client.resume();
        stream.destroy();
        await closed;
        assert.ok(client.readableEnded || client.destroyed || client.errored !== null);
      }),
  },
  {
    name: 'keeps 50 connections at once apart',
    run: async ({ server, client, port }) => {
      const listener = await server.listen(port, ({ stream }) => stream.pipe(stream));
      try {
        const answers = await Promise.all(
          Array.from({ length: 50 }, async (_, index) => {
            const stream = await client.connect({ cid: server.cid, port }, TIMEOUT);
            stream.end(`connection ${index}`);
            const answer = String(await readBytes(stream));
            stream.destroy();
            return answer;
          }),
        );
        assert.deepEqual(
          answers,
          Array.from({ length: 50 }, (_, index) => `connection ${index}`),
        );
      } finally {
        await listener.close();
      }
    },
  },
  {
    name: 'refuses to connect where nobody listens',
    run: ({ client, server, port }) =>
      // A hypervisor without a refusal of its own lets the attempt run into its deadline.
      assertCode(
        client.connect({ cid: server.cid, port }, { timeoutMs: 2_000 }),
        'CONNECT_REFUSED',
        'CONNECT_TIMEOUT',
      ),
  },
  {
    name: 'refuses to listen where somebody listens',
    run: async ({ server, port }) => {
      const listener = await server.listen(port, ({ stream }) => stream.destroy());
      try {
        await assertCode(
          server.listen(port, ({ stream }) => stream.destroy()),
          'ADDRESS_IN_USE',
        );
      } finally {
        await listener.close();
      }
    },
  },
  {
    name: 'gives up a connection attempt when told to',
    run: async ({ client, server, port }) => {
      const signal = AbortSignal.abort();
      await assertCode(
        client.connect({ cid: server.cid, port }, { timeoutMs: 30_000, signal }),
        'CONNECT_ABORTED',
      );
    },
  },
  {
    name: 'destroys what is open when a listener closes, and frees its port',
    run: async ({ client, server, port }) => {
      const accepted = Promise.withResolvers<Duplex>();
      const listener = await server.listen(port, ({ stream }) => accepted.resolve(stream));
      const stream = await client.connect({ cid: server.cid, port }, TIMEOUT);
      const other = await accepted.promise;
      const gone = new Promise<void>((resolve) => {
        stream.on('error', () => resolve());
        stream.on('end', () => resolve());
        stream.on('close', () => resolve());
      });
      stream.resume();
      await listener.close();
      await listener.close();
      assert.ok(other.destroyed);
      await gone;
      stream.destroy();
      const again: Listener = await server.listen(port, ({ stream: next }) => next.destroy());
      assert.equal(again.address.port, port);
      assert.equal(again.address.cid, server.cid);
      await again.close();
    },
  },
];
