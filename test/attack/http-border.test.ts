import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askSession, sendRaw } from '../../local/attacks/raw-request.ts';
import { makeRequest, type ServingNode } from '../../local/attacks/request-attacks.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;
let node: ServingNode & { stop(): Promise<void> };

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  const started = await scenario.start();
  node = {
    testNode: scenario.testNode,
    url: started.url,
    session: await askSession(started.url),
    stop: () => started.stop(),
  };
});

afterAll(async () => {
  await node.stop();
  await scenario.close();
});

async function openTls(options: object = {}): Promise<TLSSocket> {
  const { hostname, port } = new URL(node.url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything that the node answers to these bytes until it hangs up. */
async function exchangeBytes(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = await openTls();
  for (const part of parts) socket.write(part);
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('close', () => resolve());
  });
  return Buffer.concat(chunks).toString('latin1');
}

const statuses = (answers: string) =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);

/** A request that would be carried out, as text. */
function write(change: (lines: string[]) => string[] = (lines) => lines, body?: Uint8Array): string {
  const request = makeRequest(node);
  const bytes = Buffer.from(body ?? request.body);
  const lines = [
    `${request.method} ${request.target} HTTP/1.1`,
    'host: node',
    'connection: close',
    ...Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${bytes.length}`,
  ];
  return `${change(lines).join('\r\n')}\r\n\r\n${bytes.toString('latin1')}`;
}

const HEALTH = 'GET /v1/health HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n';

describe('what two readers of HTTP could read differently', () => {
  it('is what the others are measured against: the request itself is answered', async () => {
    expect(statuses(await exchangeBytes(write()))).toEqual(['200']);
  });

  it.each([
    ['a length and chunks', (lines: string[]) => [...lines, 'transfer-encoding: chunked']],
    ['two lengths', (lines: string[]) => [...lines, 'content-length: 7']],
    [
      'a length with a sign',
      (lines: string[]) => lines.map((line) => line.replace('content-length: ', 'content-length: +')),
    ],
    [
      'an unknown coding',
      (lines: string[]) =>
        lines.map((line) =>
          line.startsWith('content-length') ? 'transfer-encoding: gzip, chunked, x' : line,
        ),
    ],
    ['a space before a colon', (lines: string[]) => [...lines, 'signature : sig=:AAAA:']],
    ['a folded line', (lines: string[]) => [...lines, 'x: a\r\n b']],
    ['a bare line feed', (lines: string[]) => [...lines, 'x: a\nholdfast-session: b']],
    ['a name with a zero byte', (lines: string[]) => [...lines, 'x\0: a']],
    ['headers of 9 KiB', (lines: string[]) => [...lines, `x: ${'a'.repeat(9_000)}`]],
  ])('is refused before anything is decided: %s', async (_, change) => {
    const answer = await exchangeBytes(write(change), HEALTH);
    expect(statuses(answer)).toHaveLength(1);
    expect(['400', '413', '431', '501']).toContain(statuses(answer)[0]);
    expect(answer).not.toContain('signature');
  });

  it.each([
    ['a second session', 'holdfast-session: 00000000000000000000000000000000'],
    ['a second signature', 'Signature: sig=:AAAA:'],
    ['a second input', 'SIGNATURE-INPUT: sig=()'],
    ['a second digest', 'content-digest: sha-256=:AAAA:'],
    ['a second type', 'content-type: text/plain'],
  ])('is refused as malformed: %s', async (_, line) => {
    const answer = await exchangeBytes(write((lines) => [...lines, line]));
    expect(answer).toContain('SIGNATURE_MALFORMED');
  });

  it('a trailer does not stand for a header', async () => {
    const request = makeRequest(node);
    const { signature = '', ...headers } = request.headers ?? {};
    const text = [
      `POST ${request.target} HTTP/1.1`,
      'host: node',
      'connection: close',
      'transfer-encoding: chunked',
      'trailer: signature',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      request.body.length.toString(16),
      request.body.toString(),
      '0',
      `signature: ${signature}`,
      '',
      '',
    ].join('\r\n');
    expect(await exchangeBytes(text)).toContain('LENGTH_REQUIRED');
  });

  it.each([
    ['the whole address', `POST https://node/v1/sign`],
    ['another letter case of the method', 'Post /v1/sign'],
    ['a query that nothing takes', 'POST /v1/sign?x'],
    ['an escaped letter', 'POST /v1/s%69gn'],
    ['a dot segment', 'POST /v1/keys/../sign'],
    ['two slashes', 'POST //v1/sign'],
    ['a fragment', 'POST /v1/sign#x'],
  ])('does not reach the operation: %s', async (_, line) => {
    const answer = await exchangeBytes(write(([, ...lines]) => [`${line} HTTP/1.1`, ...lines]));
    expect(statuses(answer)).not.toContain('200');
    expect(answer).not.toContain('"signature"');
  });

  it.each(['CONNECT node:443', 'TRACE /', 'OPTIONS *', 'PRI *'])(
    'is no method that does anything: %s',
    async (line) => {
      const answer = await exchangeBytes(`${line} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n`);
      expect(statuses(answer)).not.toContain('200');
      expect((await sendRaw(node.url, makeRequest(node))).status).toBe(200);
    },
  );

  it('an upgrade is not one', async () => {
    const text = HEALTH.replace('connection: close', 'connection: upgrade, close\r\nupgrade: h2c');
    expect(statuses(await exchangeBytes(text))).toEqual(['200']);
  });

  it('one signed request that is sent a hundred times on one connection is carried out once', async () => {
    const request = write((lines) => lines.filter((line) => !line.startsWith('connection')));
    const socket = await openTls();
    const seen: unknown[] = [];
    for (let sent = 0; sent < 100; sent += 1) {
      socket.write(request);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      seen.push(...statuses(answer.toString('latin1')));
    }
    socket.destroy();
    expect(seen).toEqual(['200', ...Array<string>(99).fill('401')]);
  });

  it('one signed request that is pipelined a hundred times is carried out at most once', async () => {
    const request = write((lines) => lines.filter((line) => !line.startsWith('connection')));
    const seen = statuses(await exchangeBytes(request.repeat(100), HEALTH));
    expect(seen.filter((status) => status === '200').length).toBeLessThanOrEqual(1);
    expect(seen.length).toBeLessThan(10);
    expect((await sendRaw(node.url, makeRequest(node))).status).toBe(200);
  });

  it('one signed request on fifty connections at once is carried out once', async () => {
    const request = makeRequest(node);
    const answers = await Promise.all(Array.from({ length: 50 }, () => sendRaw(node.url, request)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('TLS', () => {
  it('is 1.3 and nothing else', async () => {
    await expect(openTls({ maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_SSL_/),
    });
  });
});

describe('a stranger', () => {
  it('gets no work done by sending much', async () => {
    const body = Buffer.from(`{"nonce":"${'ab'.repeat(16)}"${' '.repeat(1024)}}`);
    const headers = { 'content-type': 'application/json' };
    const answer = await sendRaw(node.url, { method: 'POST', target: '/v1/attestation', headers, body });
    expect(answer).toEqual({ status: 413, body: { error: 'REQUEST_TOO_LARGE' } });
  });

  it('learns from a refusal its code and nothing else', async () => {
    const answer = await exchangeBytes(write((lines) => lines, Buffer.from('x'.repeat(300))));
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(JSON.parse(body)).toEqual({ error: 'DIGEST_MISMATCH' });
    const names = head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(':')[0]?.toLowerCase() ?? '');
    expect(names.toSorted((left, right) => left.localeCompare(right))).toEqual([
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
    ]);
  });
});
