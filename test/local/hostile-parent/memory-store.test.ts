import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../local/hostile-parent/index.ts';
import { describeStore } from '../../parent/store/store-suite.ts';

describeStore('a store in memory', async () => {
  const store = createMemoryStore();
  return await Promise.resolve({ makeStore: () => store, remove: () => Promise.resolve() });
});

test('a store in memory is rolled back under its owner', async () => {
  const store = createMemoryStore();
  const session = await store.open();
  const write = { table: 'keys', id: 'one', bytes: Uint8Array.of(1) };
  await session.commit([{ ...write, expectedRevision: 0 }]);
  const old = store.snapshot();
  await session.commit([{ ...write, expectedRevision: 1 }]);
  store.restore(old);
  expect(await session.list()).toEqual([{ table: 'keys', id: 'one', revision: 1 }]);
});
