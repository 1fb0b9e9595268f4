import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionTable, type Asker, type ClosedConnection } from '../../parent/common/connection-table.ts';
import { openSocketPairs, type SocketPairs } from '../support/socket-pairs.ts';

const LONG_MS = 60_000;

let pairs: SocketPairs;
let table: ConnectionTable;

beforeEach(async () => {
  table = new ConnectionTable({ idleMs: LONG_MS, lifetimeMs: LONG_MS });
  pairs = await openSocketPairs();
});
afterEach(async () => {
  await table.stop(0);
  pairs.close();
});

async function forward(asker: Asker) {
  const [enclave, near] = await pairs.make();
  const [far, target] = await pairs.make();
  const closed = Promise.withResolvers<ClosedConnection>();
  table.forward(near, far, asker, closed.resolve);
  let isOpen = true;
  void closed.promise.then(() => (isOpen = false));
  return { enclave, target, closed: closed.promise, isOpen: () => isOpen };
}

async function say(from: Socket, to: Socket): Promise<void> {
  from.write('x');
  await once(to, 'data');
}

describe('a table of connections that stops', () => {
  test('cuts at once what has its answer, and what never asked', async () => {
    const answered = await forward('near');
    await say(answered.enclave, answered.target);
    await say(answered.target, answered.enclave);
    const silent = await forward('near');
    await sleep(260);
    await table.stop(LONG_MS);
    expect(await answered.closed).toMatchObject({ cut: 'STOPPED', received: 1, sent: 1 });
    expect(await silent.closed).toMatchObject({ cut: 'STOPPED' });
  });

  test.each(['near', 'far'] as const)('waits for the answer to what the %s end has asked', async (asker) => {
    const asking = await forward(asker);
    const [from, to] = asker === 'near' ? [asking.enclave, asking.target] : [asking.target, asking.enclave];
    await say(from, to);
    await sleep(260);
    const stopped = table.stop(LONG_MS);
    await sleep(300);
    expect(asking.isOpen()).toBe(true);
    await say(to, from);
    await stopped;
    expect(await asking.closed).toMatchObject({ cut: 'STOPPED' });
  });

  test('waits for the rest of what one end has ended', async () => {
    const halfOpen = await forward('near');
    await say(halfOpen.enclave, halfOpen.target);
    await say(halfOpen.target, halfOpen.enclave);
    halfOpen.enclave.end();
    await once(halfOpen.target, 'end');
    const stopped = table.stop(LONG_MS);
    await sleep(350);
    expect(halfOpen.isOpen()).toBe(true);
    halfOpen.target.end('the rest');
    expect(String((await once(halfOpen.enclave, 'data'))[0])).toBe('the rest');
    await stopped;
    expect((await halfOpen.closed).cut).toBeUndefined();
  });

  test('cuts what is still at work when its time is over, and what comes later', async () => {
    const asking = await forward('near');
    await say(asking.enclave, asking.target);
    await table.stop(100);
    expect(await asking.closed).toMatchObject({ cut: 'STOPPED' });
    const late = await forward('near');
    expect(await late.closed).toMatchObject({ cut: 'STOPPED' });
  });
});
