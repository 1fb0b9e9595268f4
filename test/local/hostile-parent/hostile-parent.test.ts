import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createMemoryStore,
  startHostileParent,
  type HostileScripts,
  type MemoryStore,
} from '../../../local/hostile-parent/index.ts';
import type { Parent } from '../../../parent/index.ts';
import { encodeFrame } from '../../../shared/frames/index.ts';
import type { ControlResponse } from '../../../shared/protocol/control.ts';
import { createControlClient, type ControlClient } from '../../../shared/protocol/control-client.ts';
import { openEgress } from '../../../shared/protocol/egress-client.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID, parentOptions } from '../../support/parent-options.ts';
import { readText } from '../../support/read-stream.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KMS = { host: 'kms.eu-central-1.amazonaws.com', port: 443 };
const KEY = { table: 'keys', id: 'one' };
const write = (expectedRevision: number, byte: number) => [
  { ...KEY, expectedRevision, bytes: Uint8Array.of(byte) },
];

let directory: string;
let target: Server;
let parent: Parent;
let client: ControlClient;
let store: MemoryStore;

beforeEach(async () => {
  directory = temporaryFolder();
  target = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
});
afterEach(async () => {
  client.close();
  await parent.close(0);
  target.close();
});

async function start(scripts: HostileScripts, timeoutMs = 30_000): Promise<void> {
  store = createMemoryStore();
  const transportOf = (cid: number) => createUnixTransport({ directory, cid });
  parent = await startHostileParent({
    ...parentOptions(directory),
    manifest: () => Promise.resolve(Uint8Array.of(77)),
    configuration: () => Promise.resolve(Uint8Array.of(67)),
    store,
    egress: {
      targets: [
        { ...KMS, connectTo: { address: '127.0.0.1', port: (target.address() as AddressInfo).port } },
      ],
    },
    ...scripts,
  });
  client = createControlClient(transportOf(ENCLAVE_CID), { timeoutMs });
}

function open(timeoutMs = 30_000): Promise<Duplex> {
  return openEgress(createUnixTransport({ directory, cid: ENCLAVE_CID }), KMS, { timeoutMs });
}

describe('a hostile parent', () => {
  test('is an honest one without a script', async () => {
    await start({});
    expect(await client.manifest()).toEqual(Uint8Array.of(77));
    await client.commit(write(0, 1));
    expect(await client.readRecord(KEY)).toEqual({ revision: 1, bytes: Uint8Array.of(1) });
  });

  test('is an honest one with scripts that only pass on', async () => {
    await start({ onControl: ({ honest }) => honest(), onEgress: ({ honest }) => honest() });
    expect(await client.manifest()).toEqual(Uint8Array.of(77));
    await client.commit(write(0, 1));
    expect(await client.listRecords()).toEqual([{ ...KEY, revision: 1 }]);
    const stream = await open();
    stream.end('through');
    expect(await readText(stream)).toBe('through');
    await expect(
      openEgress(
        createUnixTransport({ directory, cid: ENCLAVE_CID }),
        { host: 'example.com', port: 1 },
        { timeoutMs: 30_000 },
      ),
    ).rejects.toMatchObject({ code: 'EGRESS_TARGET_FORBIDDEN' });
  });

  test('forges an answer', async () => {
    await start({ onControl: () => ({ type: 'manifest', bytes: Uint8Array.of(6, 6, 6) }) });
    expect(await client.manifest()).toEqual(Uint8Array.of(6, 6, 6));
    await expect(client.configuration()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  test('drops an answer', async () => {
    await start({ onControl: () => 'silence' }, 200);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_TIMEOUT' });
  });

  test('delays an answer', async () => {
    await start({
      async onControl({ honest }) {
        await sleep(100);
        return await honest();
      },
    });
    const before = performance.now();
    expect(await client.manifest()).toEqual(Uint8Array.of(77));
    expect(performance.now() - before).toBeGreaterThan(90);
  });

  test('hangs up without an answer, and the client asks again', async () => {
    await start({ onControl: ({ index, honest }) => (index < 2 ? 'hang-up' : honest()) });
    expect(await client.manifest()).toEqual(Uint8Array.of(77));
  });

  test('repeats an answer, and the client takes none that it has not asked for', async () => {
    await start({
      async onControl({ honest }) {
        const answer = await honest();
        return [answer, answer];
      },
    });
    expect(await client.manifest()).toEqual(Uint8Array.of(77));
    await sleep(50);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  test('answers in another order', async () => {
    let held: ControlResponse | undefined;
    await start({
      async onControl({ request, honest }) {
        if (request.type !== 'manifest') return await honest();
        held = await honest({ type: 'configuration' });
        return held;
      },
    });
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
    expect(held?.type).toBe('configuration');
  });

  test('confirms a commit that it never made', async () => {
    await start({
      onControl: ({ request, honest }) =>
        request.type === 'store-commit' ? { type: 'store-commit' } : honest(),
    });
    await client.commit(write(0, 1));
    expect(await client.readRecord(KEY)).toBeNull();
  });

  test('makes a commit and hides its answer, and the client finds out', async () => {
    let commits = 0;
    await start({
      async onControl({ request, honest }) {
        const answer = await honest();
        if (request.type !== 'store-commit') return answer;
        commits += 1;
        return 'hang-up';
      },
    });
    await client.commit(write(0, 1));
    expect(commits).toBe(1);
    expect(await client.readRecord(KEY)).toEqual({ revision: 1, bytes: Uint8Array.of(1) });
  });

  test('rolls the store back under a running node', async () => {
    await start({});
    await client.commit(write(0, 1));
    const old = store.snapshot();
    await client.commit(write(1, 2));
    store.restore(old);
    expect(await client.readRecord(KEY)).toEqual({ revision: 1, bytes: Uint8Array.of(1) });
  });

  test.each([
    ['of an unknown version', '0000000202a0'],
    ['longer than its limit', '7fffffff01'],
    ['nested too deep', `0000000d01a16161${'81'.repeat(9)}`],
    ['with trailing bytes', '0000000301a000'],
    ['of no known shape', '0000000201a0'],
  ])('sends a frame %s, and the client refuses it', async (_name, hex) => {
    await start({ onControl: () => ({ raw: Buffer.from(hex, 'hex') }) });
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  test('sends a truncated frame again and again, and the client gives up', async () => {
    const frame = encodeFrame({ type: 'manifest', bytes: new Uint8Array(100) }, 1_000);
    await start({ onControl: () => ({ raw: frame.subarray(0, 50), hangUp: true }) }, 2_000);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  test('breaks the connection when its script throws', async () => {
    await start({ onControl: () => Promise.reject(new Error('crash')) }, 2_000);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_DISCONNECTED' });
  });

  test('connects the enclave to something else', async () => {
    await start({
      onEgress() {
        const [ours, theirs] = duplexPair();
        theirs.end('not KMS');
        theirs.resume();
        return ours;
      },
    });
    const stream = await open();
    stream.end();
    expect(await readText(stream)).toBe('not KMS');
  });

  test.each([
    ['silence' as const, 'EGRESS_TIMEOUT'],
    ['hang-up' as const, 'EGRESS_ANSWER_INVALID'],
    [{ refuse: 'DNS_FAILED' } as const, 'EGRESS_DNS_FAILED'],
    [{ raw: Buffer.from('0000000201a0', 'hex') }, 'EGRESS_ANSWER_INVALID'],
  ])('answers a connection with %j', async (reply, code) => {
    await start({ onEgress: () => reply });
    const opened = open(reply === 'silence' ? 500 : 30_000);
    await expect(opened).rejects.toMatchObject({ name: 'EgressError', code });
  });
});
