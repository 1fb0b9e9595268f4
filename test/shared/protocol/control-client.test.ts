import { duplexPair, type Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FrameStream } from '../../../shared/frames/index.ts';
import {
  MAX_CONTROL_FRAME_BYTES,
  MAX_LISTED_RECORDS,
  MAX_RECORDS,
  controlRequestSchema,
  type ControlResponse,
  type ControlRequest,
} from '../../../shared/protocol/control.ts';
import { createControlClient, type ControlClient } from '../../../shared/protocol/control-client.ts';
import { TransportError } from '../../../shared/transport/errors.ts';
import type { Transport } from '../../../shared/transport/transport.ts';

const LIMITS = { timeoutMs: 30_000, idleTimeoutMs: Infinity };
const KEY = { table: 'keys', id: 'one' };
const BYTES = Uint8Array.of(1, 2, 3);
const WRITES = [{ ...KEY, expectedRevision: 1, bytes: BYTES }];

/** An answer, or what happens to the connection instead. */
type Step = ControlResponse | 'hang-up' | 'silence' | 'refuse-connection';

/** A parent that takes one step for each request (or connection attempt), and notes what it was asked. */
function play(steps: Step[], timeoutMs = 30_000): { client: ControlClient; asked: string[]; open: Duplex[] } {
  const asked: string[] = [];
  const open: Duplex[] = [];
  const transport: Transport = {
    cid: 16,
    listen: () => Promise.reject(new Error('not here')),
    async connect() {
      if (steps[0] === 'refuse-connection') {
        steps.shift();
        asked.push('connect');
        throw new TransportError('CONNECT_REFUSED', 'refused');
      }
      const [near, far] = duplexPair();
      open.push(far);
      far.on('error', () => {});
      serve(far).catch(() => far.destroy());
      return await Promise.resolve(near);
    },
  };
  async function serve(far: Duplex): Promise<void> {
    const frames = new FrameStream(far, { maxBytes: MAX_CONTROL_FRAME_BYTES });
    for (;;) {
      const request: ControlRequest = await frames.read(controlRequestSchema, LIMITS);
      asked.push(request.type);
      const step = steps.shift() ?? 'silence';
      if (step === 'hang-up' || step === 'refuse-connection') {
        far.end();
        return;
      }
      if (step !== 'silence') await frames.write(step, LIMITS);
    }
  }
  return { client: createControlClient(transport, { timeoutMs }), asked, open };
}

const manifest: ControlResponse = { type: 'manifest', bytes: BYTES };
const record = (revision: number, bytes: Uint8Array): ControlResponse => ({
  type: 'store-read',
  record: { revision, bytes },
});
const refusal = (
  code: 'STORE_BUSY' | 'STORE_CONFLICT' | 'STORE_FAILED' | 'UNAVAILABLE',
): ControlResponse => ({
  type: 'error',
  code,
});

describe('the control client', () => {
  test('asks on one connection, one thing after the other', async () => {
    const { client, asked, open } = play([
      manifest,
      { type: 'configuration', bytes: BYTES },
      { type: 'status' },
    ]);
    const answers = await Promise.all([
      client.manifest(),
      client.configuration(),
      client.reportStatus('starting', null),
    ]);
    expect(answers).toEqual([BYTES, BYTES, undefined]);
    expect(asked).toEqual(['manifest', 'configuration', 'status']);
    expect(open).toHaveLength(1);
  });

  test('goes on with the next call after one that failed', async () => {
    const { client } = play([refusal('UNAVAILABLE'), manifest]);
    const first = client.credentials();
    const second = client.manifest();
    await expect(first).rejects.toMatchObject({ name: 'ControlError', code: 'CONTROL_UNAVAILABLE' });
    expect(await second).toEqual(BYTES);
  });

  test('connects again while the parent is away', async () => {
    const { client, asked } = play(['refuse-connection', 'refuse-connection', 'hang-up', manifest]);
    expect(await client.manifest()).toEqual(BYTES);
    expect(asked).toEqual(['connect', 'connect', 'manifest', 'manifest']);
  });

  test('says when the parent stays away', async () => {
    const { client } = play(Array<Step>(100).fill('refuse-connection'), 1_000);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_DISCONNECTED' });
  });

  test('says when the parent stays silent, and connects anew for the next call', async () => {
    const { client, open } = play(['silence', manifest], 1_000);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_TIMEOUT' });
    expect(await client.manifest()).toEqual(BYTES);
    expect(open).toHaveLength(2);
  });

  test('takes no answer to something else', async () => {
    const { client } = play([{ type: 'configuration', bytes: BYTES }]);
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  test('gives each call its own copy of the bytes', async () => {
    const { client } = play([manifest, manifest]);
    const first = await client.manifest();
    expect(first.buffer.byteLength).toBe(BYTES.length);
    first.fill(0);
    expect(await client.manifest()).toEqual(BYTES);
  });

  test('is done when it is closed, whatever waits', async () => {
    const { client } = play(['silence']);
    const waiting = client.manifest();
    const queued = client.configuration();
    await sleep(20);
    client.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CONTROL_CLOSED' });
    await expect(queued).rejects.toMatchObject({ code: 'CONTROL_CLOSED' });
    await expect(client.manifest()).rejects.toMatchObject({ code: 'CONTROL_CLOSED' });
  });

  test('waits for its own lost connection to give up the store', async () => {
    const { client, asked } = play([record(1, BYTES), 'hang-up', refusal('STORE_BUSY'), record(1, BYTES)]);
    await client.readRecord(KEY);
    expect(await client.readRecord(KEY)).toEqual({ revision: 1, bytes: BYTES });
    expect(asked).toHaveLength(4);
  });

  test('does not wait for a store that somebody else had from the start', async () => {
    const { client, asked } = play([refusal('STORE_BUSY')]);
    await expect(client.listRecords()).rejects.toMatchObject({ code: 'CONTROL_STORE_BUSY' });
    expect(asked).toHaveLength(1);
  });
});

describe('a commit', () => {
  test('is done when its answer says so', async () => {
    const { client, asked } = play([{ type: 'store-commit' }]);
    await client.commit(WRITES);
    expect(asked).toEqual(['store-commit']);
  });

  test('is refused when its answer says so', async () => {
    const { client } = play([refusal('STORE_CONFLICT')]);
    await expect(client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_STORE_CONFLICT' });
  });

  test('is found done by reading back when its answer was lost', async () => {
    const { client, asked } = play(['hang-up', record(2, BYTES)]);
    await client.commit(WRITES);
    expect(asked).toEqual(['store-commit', 'store-read']);
  });

  test('is sent again when reading back finds it undone', async () => {
    const { client, asked } = play(['hang-up', record(1, Uint8Array.of(0)), { type: 'store-commit' }]);
    await client.commit(WRITES);
    expect(asked).toEqual(['store-commit', 'store-read', 'store-commit']);
  });

  test('is sent again without reading back when it never left', async () => {
    const { client, asked } = play(['refuse-connection', { type: 'store-commit' }]);
    await client.commit(WRITES);
    expect(asked).toEqual(['connect', 'store-commit']);
  });

  test('is found done when the repetition conflicts with the first attempt', async () => {
    const { client, asked } = play([
      'hang-up',
      record(1, Uint8Array.of(0)),
      refusal('STORE_CONFLICT'),
      record(2, BYTES),
    ]);
    await client.commit(WRITES);
    expect(asked).toEqual(['store-commit', 'store-read', 'store-commit', 'store-read']);
  });

  test('conflicts when reading back finds somebody else’s bytes', async () => {
    const { client } = play(['hang-up', record(2, Uint8Array.of(9))]);
    await expect(client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_STORE_CONFLICT' });
  });

  test('conflicts when only a part of it is found', async () => {
    const { client } = play(['hang-up', record(2, BYTES), { type: 'store-read', record: null }]);
    await expect(
      client.commit([...WRITES, { table: 'keys', id: 'two', expectedRevision: 0, bytes: BYTES }]),
    ).rejects.toMatchObject({ code: 'CONTROL_STORE_CONFLICT' });
  });

  test('is found done when the store failed behind it, and failed when it did not happen', async () => {
    const { client } = play([refusal('STORE_FAILED'), record(2, BYTES)]);
    await client.commit(WRITES);
    const undone = play([refusal('STORE_FAILED'), record(1, BYTES)]);
    await expect(undone.client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_STORE_FAILED' });
    const broken = play([refusal('STORE_FAILED'), refusal('STORE_FAILED')]);
    await expect(broken.client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_COMMIT_UNRESOLVED' });
  });

  test('of a deletion is found done when the record is gone', async () => {
    const { client } = play(['hang-up', { type: 'store-read', record: null }]);
    await expect(client.commit([{ ...KEY, expectedRevision: 1, bytes: null }])).resolves.toBeUndefined();
  });

  test('stays unresolved when the parent is silent', async () => {
    const { client } = play(['silence'], 100);
    await expect(client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_COMMIT_UNRESOLVED' });
  });

  test('stays unresolved when reading back fails', async () => {
    const { client } = play(['hang-up', refusal('UNAVAILABLE')]);
    await expect(client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_COMMIT_UNRESOLVED' });
    const away = play(['hang-up', ...Array<Step>(100).fill('refuse-connection')], 150);
    await expect(away.client.commit(WRITES)).rejects.toMatchObject({ code: 'CONTROL_COMMIT_UNRESOLVED' });
  });
});

describe('a list of records', () => {
  const entries = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      table: 'keys',
      id: `key-${String(from + index).padStart(6, '0')}`,
      revision: 1,
    }));
  const page = (from: number, count: number): ControlResponse => ({
    type: 'store-list',
    records: entries(from, count),
  });

  test('is asked for page by page until one is not full', async () => {
    const { client, asked } = play([page(0, MAX_LISTED_RECORDS), page(MAX_LISTED_RECORDS, 3)]);
    expect(await client.listRecords()).toEqual(entries(0, MAX_LISTED_RECORDS + 3));
    expect(asked).toEqual(['store-list', 'store-list']);
  });

  test('may end with a page of none', async () => {
    const { client } = play([page(0, MAX_LISTED_RECORDS), page(0, 0)]);
    expect(await client.listRecords()).toHaveLength(MAX_LISTED_RECORDS);
  });

  test('is refused when a record comes twice or out of order, in one page or in two', async () => {
    const [one, two] = entries(0, 2);
    if (one === undefined || two === undefined) throw new RangeError('two records');
    for (const records of [
      [two, one],
      [one, one],
      [one, { ...one, table: 'index' }],
    ]) {
      const { client } = play([{ type: 'store-list', records }]);
      await expect(client.listRecords()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
    }
    const repeats = play([page(0, MAX_LISTED_RECORDS), page(0, 1)]);
    await expect(repeats.client.listRecords()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  test('is refused when it is longer than a store can be', async () => {
    const pages = Array.from({ length: 9 }, (_, index) =>
      page(index * MAX_LISTED_RECORDS, MAX_LISTED_RECORDS),
    );
    const { client, asked } = play(pages, 20_000);
    await expect(client.listRecords()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
    expect(asked).toHaveLength(MAX_RECORDS / MAX_LISTED_RECORDS + 1);
  });
});
