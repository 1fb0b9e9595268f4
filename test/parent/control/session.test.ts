import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../local/hostile-parent/index.ts';
import { createControlSession } from '../../../parent/control/session.ts';
import { MAX_LISTED_RECORDS, MAX_RECORDS, type RecordKey } from '../../../shared/protocol/control.ts';

const nameOf = (index: number) => `key-${String(index).padStart(5, '0')}`;

function start() {
  const none = () => Promise.reject(new Error('none'));
  return createControlSession(
    {
      manifest: none,
      configuration: none,
      secrets: { get: none },
      credentials: none,
      store: createMemoryStore(),
      onStatus: () => undefined,
    },
    () => undefined,
  );
}

test('lists the records of a full store in order and in pages, and takes no more of them', async () => {
  const session = start();
  for (let from = 0; from < MAX_RECORDS; from += 2048) {
    const writes = Array.from({ length: 2048 }, (_, index) => ({
      table: 'keys',
      // In no order of their names.
      id: nameOf(((from + index) * 7919) % MAX_RECORDS),
      expectedRevision: 0,
      bytes: Uint8Array.of(1),
    }));
    expect(await session.handle({ type: 'store-commit', writes })).toEqual({ type: 'store-commit' });
  }
  const listed: string[] = [];
  const pages: number[] = [];
  let after: RecordKey | undefined;
  do {
    const answer = await session.handle({ type: 'store-list', ...(after === undefined ? {} : { after }) });
    if (answer.type !== 'store-list') throw new TypeError('not a list');
    listed.push(...answer.records.map(({ id }) => id));
    pages.push(answer.records.length);
    const last = answer.records.at(-1);
    after = last && { table: last.table, id: last.id };
  } while (after !== undefined);
  expect(listed).toEqual(Array.from({ length: MAX_RECORDS }, (_, index) => nameOf(index)));
  expect(pages).toEqual([...Array.from({ length: 8 }, () => MAX_LISTED_RECORDS), 0]);
  const more = [{ table: 'keys', id: 'one-more', expectedRevision: 0, bytes: Uint8Array.of(1) }];
  expect(await session.handle({ type: 'store-commit', writes: more })).toEqual({
    type: 'error',
    code: 'STORE_FULL',
  });
});

test('begins a list after a place that has no record, in whichever table it is', async () => {
  const session = start();
  const writes = ['a', 'b'].flatMap((table) =>
    ['1', '3'].map((id) => ({ table, id, expectedRevision: 0, bytes: Uint8Array.of(1) })),
  );
  await session.handle({ type: 'store-commit', writes });
  const names = async (place: RecordKey) => {
    const answer = await session.handle({ type: 'store-list', after: place });
    return answer.type === 'store-list' ? answer.records.map(({ table, id }) => `${table}${id}`) : [];
  };
  expect(await names({ table: 'a', id: '2' })).toEqual(['a3', 'b1', 'b3']);
  expect(await names({ table: 'a', id: '3' })).toEqual(['b1', 'b3']);
  expect(await names({ table: 'b', id: '9' })).toEqual([]);
});
