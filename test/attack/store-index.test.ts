import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveStoreKey, SealedStore } from '../../enclave/store/index.ts';
import {
  type ControlExchange,
  type ControlReply,
  createMemoryStore,
  type MemoryStore,
  startHostileParent,
} from '../../local/hostile-parent/index.ts';
import type { Parent } from '../../parent/index.ts';
import type { ControlResponse, ControlRequest } from '../../shared/protocol/control.ts';
import { createControlClient, type ControlClient } from '../../shared/protocol/control-client.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID, parentOptions } from '../support/parent-options.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'demo', environment: 'test', node: 1 });
const STATE = { order: 'first-start', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
const IDS = Array.from({ length: 60 }, (_, index) => `key-${index}`);

let directory: string;
let parent: Parent;
let client: ControlClient;
let store: MemoryStore;
/** What the parent does with a request; honest until a test has it otherwise. */
let script: (exchange: ControlExchange) => ControlReply | Promise<ControlReply>;

beforeEach(async () => {
  directory = temporaryFolder();
  store = createMemoryStore();
  script = ({ honest }) => honest();
  const transportOf = (cid: number) => createUnixTransport({ directory, cid });
  parent = await startHostileParent({
    ...parentOptions(directory),
    manifest: () => Promise.reject(new Error('none')),
    configuration: () => Promise.reject(new Error('none')),
    store,
    onControl: (exchange) => script(exchange),
  });
  client = createControlClient(transportOf(ENCLAVE_CID), { timeoutMs: 30_000 });
  const made = SealedStore.create(client, key, STATE, undefined);
  await made.commit(IDS.map((id) => ({ table: 'keys', id, plaintext: Uint8Array.of(1) })));
});
afterEach(async () => {
  client.close();
  await parent.close(0);
});

const isRead = (request: ControlRequest, table: string, id: string) =>
  request.type === 'store-read' && request.table === table && request.id === id;
const open = () => SealedStore.open(client, key);

describe('a hostile parent and the index of a sealed store', () => {
  it('answers with another node, at its own revision or that of the node asked for', async () => {
    for (const withRevision of [true, false]) {
      script = async ({ request, honest }): Promise<ControlResponse> => {
        const answer = await honest();
        if (!isRead(request, 'index', '1')) return answer;
        const other = await honest({ type: 'store-read', table: 'index', id: '2' });
        if (withRevision || other.type !== 'store-read' || answer.type !== 'store-read') return other;
        const revision = answer.record?.revision ?? 0;
        return { type: 'store-read', record: other.record && { ...other.record, revision } };
      };
      await expect(open()).rejects.toMatchObject({ code: 'STORE_RECORD_ALTERED' });
    }
  });

  it('hides a node, or hides it from the list alone', async () => {
    script = ({ request, honest }) =>
      isRead(request, 'index', '3') ? { type: 'store-read', record: null } : honest();
    await expect(open()).rejects.toMatchObject({ code: 'STORE_RECORD_MISSING' });
    script = async ({ honest }) => {
      const answer = await honest();
      if (answer.type !== 'store-list') return answer;
      return { ...answer, records: answer.records.filter(({ id }) => id !== '3') };
    };
    await expect(open()).rejects.toMatchObject({ code: 'STORE_RECORD_MISSING' });
  });

  it('lists a record twice', async () => {
    script = async ({ honest }) => {
      const answer = await honest();
      if (answer.type !== 'store-list') return answer;
      return { ...answer, records: answer.records.flatMap((record) => [record, record]) };
    };
    await expect(open()).rejects.toMatchObject({ code: 'CONTROL_ANSWER_INVALID' });
  });

  it('confirms a commit that it never made: the next start has the store of before, and this node ends at its next commit', async () => {
    const running = await open();
    script = ({ request, honest }) => (request.type === 'store-commit' ? { type: 'store-commit' } : honest());
    await running.commit([{ table: 'keys', id: 'key-0', plaintext: Uint8Array.of(2) }]);
    await expect(running.read({ table: 'keys', id: 'key-0' })).rejects.toMatchObject({
      code: 'STORE_RECORD_ALTERED',
    });
    script = ({ honest }) => honest();
    await expect(running.commit([])).rejects.toMatchObject({ code: 'STORE_TAKEN' });
  });

  it('makes a part of a commit and confirms it: the next start refuses what came of it', async () => {
    for (const table of ['keys', 'index', 'store']) {
      const before = store.snapshot();
      const running = await open();
      script = async ({ request, honest }) => {
        if (request.type !== 'store-commit') return await honest();
        return await honest({ ...request, writes: request.writes.filter((write) => write.table !== table) });
      };
      await running.commit([{ table: 'keys', id: 'key-0', plaintext: Uint8Array.of(2) }]);
      script = ({ honest }) => honest();
      await expect(open()).rejects.toMatchObject({ code: 'STORE_RECORD_ALTERED' });
      store.restore(before);
    }
  });

  it('says that the store is full: nothing changes, and a start with that code is not tried again', async () => {
    const running = await open();
    script = ({ request, honest }) =>
      request.type === 'store-commit' ? { type: 'error', code: 'STORE_FULL' } : honest();
    await expect(
      running.commit([{ table: 'keys', id: 'new', plaintext: Uint8Array.of(2) }]),
    ).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
    expect(await running.read({ table: 'keys', id: 'new' })).toBeNull();
  });

  it('drops records behind the node’s back: no configuration has ordered it, and the node does not start', async () => {
    script = async ({ request, honest }) => {
      const answer = await honest();
      if (answer.type === 'store-list') {
        return {
          ...answer,
          records: answer.records.filter(({ table, id }) => table !== 'keys' || id !== 'key-9'),
        };
      }
      return isRead(request, 'keys', 'key-9') ? { type: 'store-read', record: null } : answer;
    };
    await expect(open()).rejects.toMatchObject({ code: 'STORE_RECORD_MISSING' });
  });
});
