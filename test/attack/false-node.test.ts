import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { attestNode, connectNode } from '../../client/index.ts';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { backend, type FakeNode, startFakeNode, trust } from '../client/fake-node.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A parent's own TLS, which answers whatever it is asked with these bytes. */
async function startImpostor(reply: string): Promise<string> {
  const { certificate, privateKey } = await createTlsIdentity('node', Date.now());
  const open = new Set<TLSSocket>();
  const server = createServer(
    { cert: certificate, key: privateKey, ALPNProtocols: ['http/1.1'] },
    (socket) => {
      open.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(reply));
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HoldfastError);
  return (error as HoldfastError).code;
}

describe('a client that is answered by somebody else gets an error, and gets it in time', () => {
  it.each([
    [
      'an upgrade that it did not ask for',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'ANSWER_LOST',
    ],
    ['half an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n', 'ANSWER_TIMEOUT'],
    ['promises of an answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000), 'ANSWER_TIMEOUT'],
    [
      'an answer without end',
      `HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n${'x'.repeat(2 ** 21)}`,
      'ANSWER_MALFORMED',
    ],
    [
      'more than 64 KiB before it is known to be a node',
      `HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n${' '.repeat(65_537)}`,
      'ANSWER_MALFORMED',
    ],
    [
      'an answer in chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      'ANSWER_MALFORMED',
    ],
    ['an answer until the connection ends', 'HTTP/1.1 200 OK\r\n\r\n{}', 'ANSWER_MALFORMED'],
    ['headers of 9 KiB', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`, 'ANSWER_LOST'],
    ['many header fields', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(65)}\r\n`, 'ANSWER_MALFORMED'],
    [
      'a redirection',
      'HTTP/1.1 307 Elsewhere\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
      'ANSWER_MALFORMED',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}', 'ANSWER_LOST'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'ANSWER_LOST'],
  ])('%s', async (_, reply, code) => {
    const url = await startImpostor(reply);
    const timeoutMs = code === 'ANSWER_TIMEOUT' ? 1_000 : 60_000;
    expect(await codeOf(attestNode({ url, trust: trust(), timeoutMs }))).toBe(code);
  });
});

describe('a node whose store and configuration were rolled back together', () => {
  const startNode = (configuration: number, port?: number): Promise<FakeNode> =>
    startFakeNode({
      ...(port === undefined ? {} : { port }),
      attested: ({ userData }) => {
        const binding = JSON.parse(Buffer.from(userData).toString()) as object;
        return { userData: Buffer.from(JSON.stringify({ ...binding, configuration })) };
      },
    });
  const options = (url: string) => ({ url, clientId: 'backend', privateKey: backend.privateKey });

  it('is not taken by a client that knows of a newer configuration', async () => {
    const node = await startNode(6);
    cleanups.push(() => node.close());
    const attempt = (oldestConfiguration: number) =>
      attestNode({ url: node.url, trust: trust({ oldestConfiguration }) });
    expect((await attempt(6)).binding.configuration).toBe(6);
    expect(await codeOf(attempt(7))).toBe('CONFIGURATION_ROLLED_BACK');
  });

  it('is not taken by a client that has seen a newer one in force', async () => {
    const before = await startNode(7);
    const client = await connectNode({ ...options(before.url), trust: trust() });
    cleanups.push(() => client.close());
    await before.close();
    const after = await startNode(6, before.port);
    cleanups.push(() => after.close());
    expect(await codeOf(client.keys())).toBe('CONFIGURATION_ROLLED_BACK');
  });
});
