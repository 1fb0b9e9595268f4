import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ColdMemory } from '../../cold/memory.ts';
import { runHoldfast } from '../cli/in-process.ts';

const NOW = Date.UTC(2027, 0);
const DAY = 86_400_000;
const CLIENTS = 4;

async function open(sealed: Uint8Array | null = null) {
  return await ColdMemory.restore({ read: () => Promise.resolve(sealed) });
}

const idOf = (client: string, place: number) => hash('sha256', `${client} ${place}`, 'hex').slice(0, 32);

/** Has a client send requests until the node takes no more; how many it took. */
function fill(memory: ColdMemory, client: string, days: number, clients = CLIENTS): number {
  for (let taken = 0; ; taken += 1) {
    const id = idOf(client, taken);
    try {
      memory.takeRequest({ id, client, created: NOW, notAfter: NOW + days * DAY }, NOW, clients);
    } catch (error) {
      expect(error).toMatchObject({ code: 'COLD_REQUESTS_FULL' });
      return taken;
    }
  }
}

it('keeps a part for each client: one with as many open requests as it may have blocks no other', async () => {
  const memory = await open();
  expect(fill(memory, 'greedy', 30)).toBe(512);
  for (const client of ['second', 'third', 'fourth']) expect(fill(memory, client, 1)).toBe(512);
});

it('is sealed within the bytes of a record when all clients have as many as they may, of two configurations', async () => {
  const memory = await open();
  const clients = Array.from({ length: 1024 }, (_, index) => `${index}`.padStart(63, 'c'));
  for (const client of clients) fill(memory, client, 30, clients.length);
  fill(memory, 'newcomer', 30, 1);
  const [sealed] = memory.collectChanges();
  expect(sealed?.plaintext.length).toBeLessThan(256 * 1024);
  const again = await open(sealed?.plaintext ?? null);
  const [id, client] = [idOf('newcomer', 0), 'newcomer'];
  expect(() => again.takeRequest({ id, client, created: NOW, notAfter: NOW + DAY }, NOW, 1)).toThrow(
    expect.objectContaining({ code: 'COLD_REQUEST_REPEATED' }),
  );
});

it('takes further requests once the first of them have ended', async () => {
  const memory = await open();
  fill(memory, 'greedy', 1);
  const later = NOW + DAY + 1;
  const request = { id: '0f'.repeat(16), client: 'greedy', created: later, notAfter: later + DAY };
  expect(() => memory.takeRequest(request, later, CLIENTS)).not.toThrow();
});

it('builds no archive under the name of something else', async () => {
  const { exit, err } = await runHoldfast(['cold', 'bundle', '--output', 'x.txt']);
  expect([exit, err]).toEqual([2, expect.stringContaining('.tar')]);
});
