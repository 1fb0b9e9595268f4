import { afterEach, expect, it } from 'vitest';
import { measureHoldings } from '../../support/leaks.ts';
import { datagramFrame, dialRaw, frameOf, helloFrame } from './raw-parent.ts';
import { closeAll, startNode, until } from './start-node.ts';

afterEach(closeAll);

const ROUNDS = 3_000;
/** Bytes that a connection may leave behind: less than any object that belongs to one. */
const MAX_BYTES_OF_CONNECTION = 100;

it('leaves nothing of thousands of connections: greeted, refused, broken, silent', async () => {
  const a = await startNode(1, { nodes: [{ node: 2 }] });
  const farewells = [
    (from: Buffer) => Buffer.concat([from, datagramFrame('x')]),
    (from: Buffer) => Buffer.concat([from, frameOf({ type: 'unknown' })]),
    () => helloFrame(9, 1),
    () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ];
  const connectOnce = async (index: number) => {
    const one = await dialRaw(a.address);
    one.socket.write((farewells[index % farewells.length] ?? farewells[0])?.(helloFrame(2, 1)) ?? '');
    await new Promise((resolve) =>
      one.socket.once('data', resolve).once('end', resolve).once('close', resolve),
    );
    one.close();
  };
  const connectMany = async (count: number) => {
    for (let index = 0; index < count; index += 4) {
      await Promise.all([0, 1, 2, 3].map((offset) => connectOnce(index + offset)));
    }
    await until('all are gone', () => !(a.peers.status.peers[0]?.isConnected ?? true));
  };
  await connectMany(400);
  const before = await measureHoldings();
  await connectMany(ROUNDS);
  const after = await measureHoldings();
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 1);
  expect(after.resources).toBeLessThanOrEqual(before.resources + 2);
  // The datagrams that the enclave's end of this test keeps are part of what is held.
  const kept = a.enclave.delivered.length * 400;
  expect(after.bytes - before.bytes - kept).toBeLessThan(ROUNDS * MAX_BYTES_OF_CONNECTION);
});

it('leaves nothing of thousands of reconnections that it makes itself', async () => {
  const limits = { minBackoffMs: 1, maxBackoffMs: 1 };
  const b = await startNode(2, { nodes: [{ node: 1 }] });
  const a = await startNode(1, { limits, nodes: [{ node: 3, address: b.address }] });
  const attempts = () => a.peers.counters.of(3).connects.get('WRONG_NODE') ?? 0;
  await until('it has tried often', () => attempts() > 300, 60_000);
  const before = await measureHoldings();
  const from = attempts();
  await until('it has tried often', () => attempts() > from + 2_000, 120_000);
  const after = await measureHoldings();
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 4);
  expect(after.resources).toBeLessThanOrEqual(before.resources + 6);
  expect(after.bytes - before.bytes).toBeLessThan(2_000 * MAX_BYTES_OF_CONNECTION);
});
