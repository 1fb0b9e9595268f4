import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  type KMSClient,
  ListKeysCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NitroRoot } from '../../../../local/nsm/index.ts';
import { type Fault, FaultyProxy } from '../../../support/faulty-proxy.ts';
import { RawClient } from '../door.ts';
import { FakePoolNode } from './fake-pool-node.ts';
import { CREDENTIAL, startKmsDoor, type TestKmsDoor } from './kms-door.ts';

let node: FakePoolNode;
let door: TestKmsDoor;
let kms: KMSClient;
const message = Buffer.from('a message');
const describeError = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'nothing was refused',
    (error: Error & { $metadata?: { attempts?: number; httpStatusCode?: number } }) => ({
      name: error.name,
      status: error.$metadata?.httpStatusCode,
      attempts: error.$metadata?.attempts,
      code: /^[A-Z_]+/.exec(error.message)?.[0],
    }),
  );
const P256 = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const;
const create = async (client = kms, Description = '') =>
  (await client.send(new CreateKeyCommand({ ...P256, Description }))).KeyMetadata?.KeyId ?? '';
const sign = (id: string) =>
  new SignCommand({ KeyId: id, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' });

beforeEach(async () => {
  node = await FakePoolNode.start();
  door = await startKmsDoor([node.node.url]);
  kms = door.client();
});
afterEach(async () => {
  kms.destroy();
  await door.close();
  await node.node.close();
});

describe('a node behind the door', () => {
  it('may restart between two requests: the client sees nothing of it', async () => {
    const id = await create();
    const { port } = node.node;
    await node.node.close();
    const signing = kms.send(sign(id));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await node.restart({ port });
    expect((await signing).$metadata).toMatchObject({ httpStatusCode: 200, attempts: 1 });
    expect(node.count(/sign/)).toBe(1);
  });

  it('that stays away is KeyUnavailableException, which SDKs try again, and nothing was carried out', async () => {
    await door.close();
    door = await startKmsDoor([node.node.url], { waitMs: 200 });
    const client = door.client({ maxAttempts: 2 });
    const id = await create(client);
    await node.node.close();
    expect(await describeError(client.send(sign(id)))).toEqual({
      name: 'KeyUnavailableException',
      status: 500,
      attempts: 2,
      code: 'NODE_UNREACHABLE',
    });
    await node.restart();
    client.destroy();
  });

  it('that does not prove what it is gets nothing, and the client an error for everything', async () => {
    const stranger = await FakePoolNode.start({ root: await NitroRoot.create(Date.now()) });
    const other = await startKmsDoor([stranger.node.url], { waitMs: 200 });
    const client = other.client({ maxAttempts: 1 });
    for (const command of [new ListKeysCommand({}), new CreateKeyCommand(P256), sign('a-key')])
      expect(await describeError(client.send(command as ListKeysCommand))).toMatchObject({
        name: 'KeyUnavailableException',
        code: 'ROOT_MISMATCH',
      });
    expect(new Set(stranger.node.requests)).toEqual(new Set(['POST /v1/attestation']));
    client.destroy();
    await other.close();
    await stranger.node.close();
  });

  it('whose answer to Sign is lost is asked once: the error says that nobody knows', async () => {
    const id = await create();
    for (const at of ['before', 'after'] as const) {
      node.faults.push({ target: /sign/, at, times: 1 });
      node.done.length = 0;
      expect(await describeError(kms.send(sign(id)))).toEqual({
        name: 'KMSInvalidStateException',
        status: 400,
        attempts: 1,
        code: 'ANSWER_LOST',
      });
      expect(node.count(/sign/)).toBe(at === 'after' ? 1 : 0);
    }
  });

  it('whose answer to an encryption or a decryption is lost is asked again', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    node.faults.push(
      { target: /encrypt/, at: 'after', times: 1 },
      { target: /decrypt/, at: 'before', times: 1 },
    );
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: message }),
    );
    const { Plaintext, $metadata } = await kms.send(new DecryptCommand({ CiphertextBlob }));
    expect({ text: Buffer.from(Plaintext ?? []).toString(), attempts: $metadata.attempts }).toEqual({
      text: 'a message',
      attempts: 1,
    });
  });

  it('whose rate is used up for a moment is asked again by the door, and else throttles the client', async () => {
    const id = await create();
    node.faults.push({ target: /sign/, at: 'refused', status: 429, code: 'RATE_LIMITED', times: 1 });
    expect((await kms.send(sign(id))).$metadata.attempts).toBe(1);
    await door.close();
    door = await startKmsDoor([node.node.url], { waitMs: 0 });
    node.faults.push({ target: /sign/, at: 'refused', status: 429, code: 'RATE_LIMITED', times: 9 });
    const client = door.client({ maxAttempts: 2 });
    const started = performance.now();
    expect(await describeError(client.send(sign(id)))).toEqual({
      name: 'ThrottlingException',
      status: 400,
      attempts: 2,
      code: 'RATE_LIMITED',
    });
    // x-amz-retry-after says a second.
    expect(performance.now() - started).toBeGreaterThan(900);
    client.destroy();
  });

  it.each([
    [403, 'POLICY_DENIED', 'AccessDeniedException', 400],
    [403, 'RULE_DENIED', 'AccessDeniedException', 400],
    [429, 'LIMIT_EXCEEDED', 'AccessDeniedException', 400],
    [401, 'CLIENT_UNKNOWN', 'AccessDeniedException', 400],
    [403, 'UNKNOWN_KEY', 'NotFoundException', 400],
    [403, 'ALGORITHM_MISMATCH', 'InvalidKeyUsageException', 400],
    [409, 'KEY_DISABLED', 'DisabledException', 400],
    [409, 'KEY_PENDING_DELETION', 'KMSInvalidStateException', 400],
    [507, 'STORE_FULL', 'LimitExceededException', 400],
    [503, 'LOG_NOT_COSIGNED', 'KMSInvalidStateException', 400],
    [500, 'POLICY_FAILED', 'KMSInternalException', 500],
    [418, 'SOMETHING_NEW', 'KMSInternalException', 500],
  ])(
    'that refuses with %s %s is %s to the client, with the code in its message',
    async (status, code, name, shown) => {
      const id = await create();
      node.faults.push({ target: /sign/, at: 'refused', status, code, times: 9 });
      const client = door.client({ maxAttempts: 1 });
      expect(await describeError(client.send(sign(id)))).toMatchObject({ name, code, status: shown });
      client.destroy();
    },
  );
});

describe('tries of one call', () => {
  /** An SDK whose first connections end before the response, as where a client gives up. */
  const impatient = () =>
    door.client({ maxAttempts: 10, requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true } });

  it('are one decision, also while the first is under way', async () => {
    const id = await create();
    node.delayMs = 450;
    const client = impatient();
    const { $metadata } = await client.send(sign(id));
    expect($metadata.attempts).toBeGreaterThan(1);
    expect(node.count(/sign/)).toBe(1);
    client.destroy();
  });

  it('make one key', async () => {
    await kms.send(new ListKeysCommand({}));
    node.delayMs = 200;
    const client = impatient();
    const id = await create(client);
    expect([...node.held.keys()]).toEqual([id]);
    client.destroy();
  });
});

const CREATION = '/v1/pools/canton/keys';

describe('CreateKey', () => {
  /** Has the node leave what has come to make a key waiting, until the returned function is called. */
  function holdRequests(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    node.gate = { target: CREATION, open: promise };
    node.asked.length = 0;
    return resolve;
  }

  /** Ends a client's connection once the node has its request, and lets the door see that. */
  async function hangUp(abort: AbortController): Promise<void> {
    await expect.poll(() => node.asked).toContain(CREATION);
    abort.abort();
    for (let turns = 0; turns < 20; turns += 1) await turn();
  }

  /** Sends CreateKey by a connection that its client ends before the response. */
  async function createAndHangUp(description: string): Promise<void> {
    const before = node.held.size;
    const leave = holdRequests();
    const abort = new AbortController();
    const client = door.client({ maxAttempts: 1 });
    const sending = client
      .send(new CreateKeyCommand({ ...P256, Description: description }), { abortSignal: abort.signal })
      .catch(() => undefined);
    await hangUp(abort);
    await sending;
    leave();
    await expect.poll(() => node.held.size).toBe(before + 1);
    await expect.poll(() => door.events.length).toBeGreaterThan(0);
    client.destroy();
  }

  it('whose answer could not be delivered gives the same key to the next that asks for the same', async () => {
    await createAndHangUp('one');
    expect(await create(kms, 'one')).toBe([...node.held.keys()][0]);
    expect(node.held.size).toBe(1);
    // That one was delivered.
    await create(kms, 'one');
    expect(node.held.size).toBe(2);
  });

  it('that is still under way without its client gives its key to the next that asks for the same', async () => {
    const leave = holdRequests();
    const abort = new AbortController();
    const client = door.client({ maxAttempts: 1 });
    const lost = client.send(new CreateKeyCommand(P256), { abortSignal: abort.signal }).catch(() => 'lost');
    await hangUp(abort);
    expect(await lost).toBe('lost');
    const next = create();
    await sleep(100);
    leave();
    await next;
    expect(node.held.size).toBe(1);
    client.destroy();
  });

  it('makes two keys where both answers were delivered, and for other names', async () => {
    const ids = [await create(), await create(), await create(kms, 'other')];
    expect(new Set(ids).size).toBe(3);
  });

  it('makes a key of its own for another credential', async () => {
    const second = { ...CREDENTIAL, accessKeyId: 'HFAKTEST000000000002' };
    await door.close();
    door = await startKmsDoor([node.node.url], { credentials: [CREDENTIAL, second] });
    await createAndHangUp('one');
    const client = door.client({ credentials: second });
    expect(await create(client, 'one')).not.toBe([...node.held.keys()][0]);
    expect(node.held.size).toBe(2);
    client.destroy();
  });

  it('makes a key of its own where the lost one was named since', async () => {
    await createAndHangUp('one');
    const [[id, held] = ['', undefined]] = [...node.held];
    if (held !== undefined) held.key = { ...held.key, named: true };
    expect(await create(kms, 'one')).not.toBe(id);
  });

  it('whose answer the node could not give is repeated under its token', async () => {
    node.faults.push({ target: /canton/, at: 'after', times: 2 });
    const id = await create();
    expect([...node.held.keys()]).toEqual([id]);
  });

  it('after a restart of the door gives the key that was left, once', async () => {
    await createAndHangUp('left');
    await door.close();
    door = await startKmsDoor([node.node.url]);
    const client = door.client();
    const [left] = node.held.keys();
    expect(await create(client, 'left')).toBe(left);
    expect(await create(client, 'left')).not.toBe(left);
    client.destroy();
  });

  it('after a restart of the door makes a new key where the one before was named', async () => {
    const id = await create(kms, 'used');
    await kms.send(new DescribeKeyCommand({ KeyId: id }));
    await door.close();
    door = await startKmsDoor([node.node.url]);
    const client = door.client();
    expect(await create(client, 'used')).not.toBe(id);
    client.destroy();
  });

  it('is refused to a credential without a pool', async () => {
    await door.close();
    door = await startKmsDoor([node.node.url], { credentials: [{ ...CREDENTIAL, pool: undefined }] });
    const client = door.client();
    expect(await describeError(create(client))).toMatchObject({ name: 'AccessDeniedException', attempts: 1 });
    client.destroy();
  });
});

/** Has the SDK sign CreateKey, and returns the bytes of its first try. */
async function captureCreateKey(description: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      if (Buffer.concat(pieces).toString('latin1').endsWith('}')) socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = door.client({ endpoint: `http://127.0.0.1:${port}`, maxAttempts: 1 });
  await create(client, description).catch(() => undefined);
  client.destroy();
  server.close();
  return Buffer.concat(pieces);
}

describe('CreateKey whose responses left the door and were never read', () => {
  let proxy: FaultyProxy;
  let behind: KMSClient;
  /** What becomes of the next requests. */
  const faults = (...list: Fault[]) => {
    proxy.decide = () => list.shift() ?? 'none';
  };
  beforeEach(async () => {
    proxy = await FaultyProxy.open(`http://127.0.0.1:${door.port}`);
    behind = door.client({ endpoint: proxy.url, maxAttempts: 4 });
  });
  afterEach(async () => {
    behind.destroy();
    await proxy.close();
  });

  it('gives the same key to the next call, where every try of the first one was lost', async () => {
    faults('unread', 'unread', 'unread', 'unread');
    expect(await describeError(create(behind, 'lost'))).toMatchObject({ attempts: 4 });
    expect(node.held.size).toBe(1);
    expect(await create(behind, 'lost')).toBe([...node.held.keys()][0]);
    expect(node.held.size).toBe(1);
    expect(proxy.seen).toHaveLength(5);
  });

  it('gives the same key to the third call, where every try of two was lost', async () => {
    faults(...Array.from({ length: 8 }, (): Fault => 'unread'));
    expect(await describeError(create(behind, 'lost'))).toMatchObject({ attempts: 4 });
    expect(await describeError(create(behind, 'lost'))).toMatchObject({ attempts: 4 });
    expect(await create(behind, 'lost')).toBe([...node.held.keys()][0]);
    expect(node.held.size).toBe(1);
  });

  it('makes a second key once a call had its response at the first try', async () => {
    faults('unread', 'none');
    const first = await create(behind, 'lost');
    expect(await create(behind, 'lost')).toBe(first);
    expect(await create(behind, 'lost')).not.toBe(first);
    expect(node.held.size).toBe(2);
  });

  it('makes a second key once the first was named', async () => {
    faults('unread', 'none');
    const first = await create(behind, 'lost');
    await kms.send(new DescribeKeyCommand({ KeyId: first }));
    expect(await create(behind, 'lost')).not.toBe(first);
  });

  it('makes a second key after ten minutes', async () => {
    let passed = 0;
    const later = await startKmsDoor([node.node.url], { clock: () => Date.now() + passed });
    const slow = await FaultyProxy.open(`http://127.0.0.1:${later.port}`);
    slow.decide = () => (slow.seen.length < 1 ? 'unread' : 'none');
    const client = later.client({ endpoint: slow.url });
    const first = await create(client, 'lost');
    passed = 10 * 60_000 + 1_000;
    expect(await create(client, 'lost')).not.toBe(first);
    client.destroy();
    await slow.close();
    await later.close();
  });

  it('gives the same key to the next call, where two tries under one number were closed unread', async () => {
    const bytes = await captureCreateKey('raw');
    for (let count = 0; count < 2; count += 1) {
      const before = door.events.length;
      const client = await RawClient.open(door.port);
      client.socket.write(bytes);
      // Whoever closes with unread bytes resets the connection: here the response is read, and nobody gets it.
      await client.until(/KeyMetadata.*\}\}$/s);
      client.socket.end();
      await client.ended;
      await expect.poll(() => door.events.length).toBe(before + 1);
    }
    expect(node.held.size).toBe(1);
    expect(await create(kms, 'raw')).toBe([...node.held.keys()][0]);
  });

  it('gives it to no other credential, also after a restart of the door', async () => {
    const second = { ...CREDENTIAL, accessKeyId: 'HFAKTEST000000000002' };
    faults('unread', 'unread', 'unread', 'unread');
    expect(await describeError(create(behind, 'lost'))).toMatchObject({ attempts: 4 });
    const [lost = ''] = node.held.keys();
    await door.close();
    door = await startKmsDoor([node.node.url], { credentials: [CREDENTIAL, second] });
    const [others, own] = [door.client({ credentials: second }), door.client()];
    expect(await create(others, 'lost')).not.toBe(lost);
    expect(await create(own, 'lost')).toBe(lost);
    others.destroy();
    own.destroy();
  });
});

describe('a request that is not signed as it should be', () => {
  it.each([
    [
      'another secret',
      { credentials: { accessKeyId: CREDENTIAL.accessKeyId, secretAccessKey: 'other' } },
      'InvalidSignatureException',
    ],
    [
      'an unknown access key',
      { credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' } },
      'UnrecognizedClientException',
    ],
    ['another Region', { region: 'us-east-1' }, 'InvalidSignatureException'],
  ])('by %s is refused, and no node hears of it', async (_, config, name) => {
    const client = door.client({ maxAttempts: 1, ...config });
    expect(await describeError(client.send(new ListKeysCommand({})))).toMatchObject({ name, status: 400 });
    expect(node.done).toEqual([]);
    client.destroy();
  });

  it('by a wrong clock is refused with the time by which an SDK corrects its own', async () => {
    await door.close();
    door = await startKmsDoor([node.node.url], { clock: () => Date.now() + 3_600_000 });
    const client = door.client();
    expect((await client.send(new ListKeysCommand({}))).$metadata.attempts).toBe(2);
    client.destroy();
  });
});

describe('every response', () => {
  const target = (name: string) =>
    `X-Amz-Target: TrentService.${name}\r\nContent-Type: application/x-amz-json-1.1\r\n`;
  const post = (body: string, more: string, path = '/') =>
    `POST ${path} HTTP/1.1\r\nHost: d\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

  it.each([
    ['no signature', post('{}', target('ListKeys')), 400, 'MissingAuthenticationTokenException'],
    [
      'another service',
      post('{}', target('ListKeys').replace('Trent', 'Other')),
      404,
      'UnknownOperationException',
    ],
    ['another path', post('{}', target('ListKeys'), '/keys'), 404, 'UnknownOperationException'],
    ['a GET', 'GET / HTTP/1.1\r\nHost: d\r\n\r\n', 404, 'UnknownOperationException'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'SerializationException'],
    [
      'a body that is too long',
      `POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 9999999\r\n\r\n`,
      413,
      'RequestEntityTooLargeException',
    ],
    [
      'chunks',
      'POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      411,
      'MissingContentLength',
    ],
  ])('to %s has a body, its length, a request id and one name', async (_, bytes, status, name) => {
    const client = await RawClient.open(door.port);
    client.socket.write(bytes);
    await client.until(/\r\n\r\n\{.*\}$/s);
    const [head = '', body = ''] = client.text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain(`\r\ncontent-length: ${body.length}`);
    expect(head).toMatch(/x-amzn-requestid: [0-9a-f-]{36}/i);
    expect(head).toMatch(new RegExp(`x-amzn-errortype: ${name}`, 'i'));
    expect(JSON.parse(body)).toMatchObject({ __type: name });
    client.socket.destroy();
  });
});

describe('two nodes', () => {
  it('with an alias twice mean the key of the configuration, and else that of the first', async () => {
    const second = await FakePoolNode.start();
    const pair = await startKmsDoor([node.node.url, second.node.url]);
    const elsewhere = await startKmsDoor([second.node.url]);
    const [client, other] = [pair.client(), elsewhere.client()];
    const [ours, theirs] = [await create(client), await create(other)];
    const grants = { operations: ['sign' as const], algorithms: [], payloads: ['message' as const] };
    node.configured = [{ id: 'hot', type: 'ed25519', publicKey: '11'.repeat(32), grants }];
    for (const held of [...node.held.values(), ...second.held.values()])
      held.key = { ...held.key, aliases: ['hot', 'both'] };
    const idOf = async (alias: string) =>
      (await client.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata?.KeyId;
    expect(await idOf('alias/both')).toBe(ours);
    expect([ours, theirs]).not.toContain(await idOf('alias/hot'));
    client.destroy();
    other.destroy();
    await elsewhere.close();
    await pair.close();
    await second.node.close();
  });

  it('have keys of their own; new ones are made on the first, and a list without it is none', async () => {
    const second = await FakePoolNode.start();
    const pair = await startKmsDoor([node.node.url, second.node.url], { waitMs: 200 });
    const client = pair.client({ maxAttempts: 1 });
    const elsewhere = await startKmsDoor([second.node.url]);
    const other = elsewhere.client();
    const theirs = await create(other);
    const ours = await create(client);
    expect([...node.held.keys()]).toEqual([ours]);
    expect((await client.send(new ListKeysCommand({}))).Keys?.map(({ KeyId }) => KeyId).sort()).toEqual(
      [ours, theirs].toSorted(),
    );
    await client.send(sign(theirs));
    expect([node.count(/sign/), second.count(/sign/)]).toEqual([0, 1]);
    await second.node.close();
    expect(await describeError(client.send(new ListKeysCommand({})))).toMatchObject({
      name: 'KeyUnavailableException',
      code: 'NODE_UNREACHABLE',
    });
    // What the first has is not hurt, and nobody says of a name that nobody has it.
    await client.send(sign(ours));
    expect(await describeError(client.send(sign('1b2c3d4e-0000-4000-8000-000000000000')))).toMatchObject({
      code: 'NODE_UNREACHABLE',
    });
    await second.restart();
    client.destroy();
    other.destroy();
    await elsewhere.close();
    await pair.close();
    await second.node.close();
  });
});
