import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, createConnection, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parentStatusSchema } from '../../cli/parent/status.ts';
import {
  createFileSecrets,
  createSqliteStore,
  readArtifactFile,
  startParent,
  type Parent,
  type ParentOptions,
} from '../../parent/index.ts';
import { FrameStream } from '../../shared/frames/index.ts';
import { controlResponseSchema, MAX_CONTROL_FRAME_BYTES } from '../../shared/protocol/control.ts';
import { createControlClient, type ControlClient } from '../../shared/protocol/control-client.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { ENCLAVE_PORT, PARENT_CID, PARENT_PORT } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID, parentOptions } from '../support/parent-options.ts';
import { readText } from '../support/read-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI',
  sessionToken: null,
  expiration: 1_900_000_000_000,
};

let directory: string;
let target: Server;
let targetPort: number;
let parent: Parent;
let client: ControlClient;
const closers: (() => unknown)[] = [];

function transportOf(cid: number) {
  return createUnixTransport({ directory: join(directory, 'vsock'), cid });
}

async function start(overrides: Partial<ParentOptions> = {}): Promise<Parent> {
  parent = await startParent(
    parentOptions(join(directory, 'vsock'), {
      manifest: () => readArtifactFile(join(directory, 'manifest.json'), 16_384),
      configuration: () => readArtifactFile(join(directory, 'configuration.json'), 1_048_576),
      secrets: createFileSecrets(join(directory, 'secrets')),
      credentials: () => Promise.resolve(CREDENTIALS),
      store: createSqliteStore(join(directory, 'records.sqlite')),
      egress: {
        targets: [
          {
            host: 'kms.eu-central-1.amazonaws.com',
            port: 443,
            connectTo: { address: '127.0.0.1', port: targetPort },
          },
          { host: 'dns.example.com', port: 443 },
        ],
        lookUp: () => Promise.reject(new Error('no DNS here')),
      },
      ingress: { port: 0 },
      status: { port: 0 },
      ...overrides,
    }),
  );
  return parent;
}

beforeEach(async () => {
  directory = temporaryFolder();
  await writeFile(join(directory, 'manifest.json'), 'manifest');
  target = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  targetPort = (target.address() as AddressInfo).port;
  client = createControlClient(transportOf(ENCLAVE_CID), { timeoutMs: 30_000 });
});

afterEach(async () => {
  client.close();
  await parent.close(0);
  for (const close of closers.splice(0)) close();
  target.close();
});

describe('a parent', () => {
  test('delivers what it has, and says what it has not', async () => {
    await start();
    expect(Buffer.from(await client.manifest()).toString()).toBe('manifest');
    await expect(client.configuration()).rejects.toMatchObject({ code: 'CONTROL_NOT_FOUND' });
    expect(await client.secret('share')).toBeNull();
    expect(await client.credentials()).toEqual(CREDENTIALS);
  });

  test('keeps sealed records with compare-and-swap', async () => {
    await start();
    const key = { table: 'keys', id: 'one' };
    await client.commit([{ ...key, expectedRevision: 0, bytes: Uint8Array.of(1) }]);
    await expect(
      client.commit([{ ...key, expectedRevision: 0, bytes: Uint8Array.of(2) }]),
    ).rejects.toMatchObject({ code: 'CONTROL_STORE_CONFLICT' });
    expect(await client.readRecord(key)).toEqual({ revision: 1, bytes: Uint8Array.of(1) });
    expect(await client.listRecords()).toEqual([{ ...key, revision: 1 }]);
  });

  test('lets no second connection at the store', async () => {
    await start();
    await client.listRecords();
    const second = createControlClient(transportOf(ENCLAVE_CID), { timeoutMs: 30_000 });
    await expect(second.listRecords()).rejects.toMatchObject({ code: 'CONTROL_STORE_BUSY' });
    expect(await second.manifest()).toHaveLength(8);
    client.close();
    await expect.poll(() => second.listRecords().catch(() => 'busy')).toEqual([]);
    second.close();
  });

  test('gives the store to the next enclave once the one that had it is known to be gone', async () => {
    await start();
    const gone = await transportOf(ENCLAVE_CID).connect(
      { cid: PARENT_CID, port: PARENT_PORT.control },
      { timeoutMs: 30_000 },
    );
    const frames = new FrameStream(gone, { maxBytes: MAX_CONTROL_FRAME_BYTES });
    await frames.write({ type: 'store-list' }, { timeoutMs: 30_000 });
    await frames.read(controlResponseSchema, { timeoutMs: 30_000 });
    await expect(client.listRecords()).rejects.toMatchObject({ code: 'CONTROL_STORE_BUSY' });
    parent.disconnectEnclave();
    expect(await client.listRecords()).toEqual([]);
    frames.destroy();
  });

  test('hangs up on any other CID than its enclave’s', async () => {
    await start();
    for (const port of [PARENT_PORT.control, PARENT_PORT.egress]) {
      const stream = await transportOf(17).connect({ cid: PARENT_CID, port }, { timeoutMs: 30_000 });
      expect(await readText(stream)).toBe('');
      stream.destroy();
    }
  });

  test('answers a request that is none, and hangs up', async () => {
    await start();
    const stream = await transportOf(ENCLAVE_CID).connect(
      { cid: PARENT_CID, port: PARENT_PORT.control },
      { timeoutMs: 30_000 },
    );
    stream.write(Buffer.from('0000000201a0', 'hex'));
    expect(await readText(stream)).toContain('BAD_REQUEST');
    stream.destroy();
  });

  test('connects the enclave to a host on its list, with half-close', async () => {
    await start();
    const stream = await openEgress(
      transportOf(ENCLAVE_CID),
      { host: 'kms.eu-central-1.amazonaws.com', port: 443 },
      { timeoutMs: 30_000 },
    );
    stream.end('to KMS');
    expect(await readText(stream)).toBe('to KMS');
    stream.destroy();
  });

  test.each([
    ['another host', { host: 'kms.us-east-1.amazonaws.com', port: 443 }, 'EGRESS_TARGET_FORBIDDEN'],
    ['another port', { host: 'kms.eu-central-1.amazonaws.com', port: 80 }, 'EGRESS_TARGET_FORBIDDEN'],
    ['a host without an address', { host: 'dns.example.com', port: 443 }, 'EGRESS_DNS_FAILED'],
  ])('refuses a connection to %s', async (_name, open, code) => {
    await start();
    await expect(openEgress(transportOf(ENCLAVE_CID), open, { timeoutMs: 30_000 })).rejects.toMatchObject({
      name: 'EgressError',
      code,
    });
  });

  test('lets clients in to the enclave', async () => {
    await start();
    const api = await transportOf(ENCLAVE_CID).listen(ENCLAVE_PORT.api, ({ stream }) => stream.pipe(stream));
    const socket = createConnection({
      ...parent.ingress,
      port: parent.ingress?.port ?? 0,
      allowHalfOpen: true,
    });
    socket.end('hello');
    expect(await readText(socket)).toBe('hello');
    socket.destroy();
    await api.close();
  });

  test('shows what its node reported, and whether it serves', async () => {
    await start();
    const get = async (path: string) => await fetch(`${parent.statusUrl}${path}`);
    expect((await get('/readyz')).status).toBe(503);
    await client.reportStatus('serving', null);
    expect((await get('/readyz')).status).toBe(200);
    await client.reportStatus('failed', 'KMS_REFUSED');
    expect((await get('/readyz')).status).toBe(503);
    expect((await get('/healthz')).status).toBe(200);
    expect(await (await get('/status')).json()).toMatchObject({
      node: { phase: 'failed', code: 'KMS_REFUSED' },
    });
    // The command that reads it for people knows each of its fields.
    expect(parentStatusSchema.parse(await (await get('/status')).json())).toMatchObject({
      enclave: { cid: ENCLAVE_CID },
      connections: { egress: 0, ingress: 0 },
      credentialsExpiration: null,
    });
    expect(await (await get('/metrics')).text()).toContain('holdfast_node_phase{phase="failed"} 1');
    expect(parent.node).toMatchObject({ phase: 'failed', code: 'KMS_REFUSED' });
  });

  describe('hears the last word of an enclave', () => {
    async function say(line: string, cid = ENCLAVE_CID): Promise<void> {
      const stream = await transportOf(cid).connect(
        { cid: PARENT_CID, port: PARENT_PORT.exit },
        { timeoutMs: 30_000 },
      );
      stream.on('error', () => {});
      stream.end(line);
      await readText(stream).catch(() => '');
      stream.destroy();
    }

    test('when its init or its program gave a reason', async () => {
      await start();
      await say('holdfast-exit/1 exit=1 signal=0 reason=INIT_NSM_MISSING\n');
      expect(parent.node).toMatchObject({ phase: 'failed', code: 'INIT_NSM_MISSING' });
    });

    test('when it was killed without one', async () => {
      await start();
      await client.reportStatus('serving', null);
      await say('holdfast-exit/1 exit=0 signal=9 reason=NONE\n');
      expect(parent.node).toMatchObject({ phase: 'stopped', code: null });
    });

    test('but goes by what the node itself said of its end', async () => {
      await start();
      await client.reportStatus('failed', 'KMS_ACCESS_DENIED');
      await say('holdfast-exit/1 exit=1 signal=0 reason=OTHER\n');
      expect(parent.node).toMatchObject({ code: 'KMS_ACCESS_DENIED' });
    });

    test('and listens to no more than a few at once, however many it opens', async () => {
      await start();
      const open = await Promise.all(
        Array.from({ length: 24 }, async () => {
          const stream = await transportOf(ENCLAVE_CID).connect(
            { cid: PARENT_CID, port: PARENT_PORT.exit },
            { timeoutMs: 30_000 },
          );
          stream.on('error', () => {}).resume();
          return stream;
        }),
      );
      const isOpen = () => open.filter((stream) => !stream.readableEnded && !stream.destroyed).length;
      await expect.poll(isOpen).toBeLessThanOrEqual(8);
      expect(isOpen()).toBeGreaterThan(0);
      for (const stream of open) stream.destroy();
      const heard = async () => {
        await say('holdfast-exit/1 exit=1 signal=0 reason=INIT_ENTROPY\n');
        return parent.node;
      };
      await expect.poll(heard).toMatchObject({ code: 'INIT_ENTROPY' });
    });

    test('and does not take what an earlier one said of its end for this one’s', async () => {
      await start();
      await client.reportStatus('failed', 'KMS_UNREACHABLE');
      await say('holdfast-exit/1 exit=1 signal=0 reason=KMS_UNREACHABLE\n');
      await say('holdfast-exit/1 exit=1 signal=0 reason=INIT_ENTROPY\n');
      expect(parent.node).toMatchObject({ phase: 'failed', code: 'INIT_ENTROPY' });
    });

    test.each([
      ['something else', 'holdfast-exit/2 exit=1 signal=0 reason=OTHER\n', ENCLAVE_CID],
      ['too much', `${'x'.repeat(1_000)}\n`, ENCLAVE_CID],
      ['somebody else', 'holdfast-exit/1 exit=1 signal=0 reason=OTHER\n', 17],
    ])('but not %s', async (_name, line, cid) => {
      await start();
      await say(line, cid);
      expect(parent.node).toBeNull();
    });
  });

  test('is found again by its enclave after a restart, and the store with it', async () => {
    await start();
    const key = { table: 'keys', id: 'one' };
    await client.commit([{ ...key, expectedRevision: 0, bytes: Uint8Array.of(1) }]);
    await parent.close(0);
    const reading = client.readRecord(key);
    await start();
    expect(await reading).toEqual({ revision: 1, bytes: Uint8Array.of(1) });
  });
});
