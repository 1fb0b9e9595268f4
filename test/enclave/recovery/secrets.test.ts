import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { listPoolSecrets } from '../../../enclave/recovery/index.ts';
import { MAX_BACKUP_ENTRIES } from '../../../shared/recovery/index.ts';

const ids = Array.from({ length: 2 * MAX_BACKUP_ENTRIES + 3 }, () => randomUUID());
const pools = {
  list: () =>
    ids.map((id, created) => ({ id, type: 'ed25519', usage: 'sign', publicKey: '00'.repeat(44), created })),
  find: () => ({ key: () => ({}) }),
} as never;
const idsOf = (after: string | null) =>
  listPoolSecrets(pools, 'desk', after).secrets.map(({ entry }) => entry.id);

it('gathers a pool page by page, each key once, and says of the last page that it is the last', () => {
  const found: string[] = [];
  let pages = 0;
  for (let after: string | null = null, more = true; more; pages += 1) {
    found.push(...idsOf(after));
    ({ more } = listPoolSecrets(pools, 'desk', after));
    after = found.at(-1) ?? null;
  }
  expect([pages, found]).toEqual([3, ids]);
});

it('refuses a page after the last key, and after one that the pool has not', () => {
  const refused = expect.objectContaining({ code: 'BACKUP_EMPTY' }) as Error;
  expect(() => idsOf(ids.at(-1) ?? null)).toThrow(refused);
  expect(() => idsOf(randomUUID())).toThrow(refused);
});
