import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RENEW_MS, SILENT_MS } from '../../../enclave/peers/limits.ts';
import { MAX_PEER_BODY_BYTES, type PeerIdentity } from '../../../enclave/peers/peer-network.ts';
import { PeerError } from '../../../enclave/peers/index.ts';
import { Nodes, peerOf } from './nodes.ts';

let nodes: Nodes;
beforeEach(async () => {
  nodes = await Nodes.create();
});
afterEach(() => nodes.close());

const CALL = { timeoutMs: 5_000 };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

async function openTwo() {
  const one = await nodes.open(1, { peers: [peerOf(2)] });
  const two = await nodes.open(2, { peers: [peerOf(1)], version: 8 });
  await nodes.time.until(() => one.identity(2) !== undefined && two.identity(1) !== undefined, 5_000);
  return { one, two };
}

/** Settles a promise while virtual time passes. */
async function settle<T>(promise: Promise<T>, milliseconds = 60_000): Promise<T> {
  let isSettled = false;
  const done = promise.finally(() => {
    isSettled = true;
  });
  done.catch(() => undefined);
  expect(await nodes.time.until(() => isSettled, milliseconds)).toBe(true);
  return done;
}

describe('two nodes', () => {
  test('prove to each other what they are, and call each other', async () => {
    const { one, two } = await openTwo();
    expect(one.identity(2)).toMatchObject({
      node: 2,
      session: '2'.padStart(32, '0'),
      configuration: { version: 8 },
    });
    expect(two.identity(1)).toMatchObject({
      node: 1,
      session: '1'.padStart(32, '0'),
      configuration: { version: 7 },
    });
    two.serve('echo', (from, body) => Promise.resolve(Buffer.from(`${from.node} ${text(body)}`)));
    one.serve('echo', (from, body) => Promise.resolve(Buffer.from(`${from.node} ${text(body)}`)));
    expect(text(await settle(one.call(2, 'echo', Buffer.from('a'), CALL)))).toBe('1 a');
    expect(text(await settle(two.call(1, 'echo', Buffer.from('b'), CALL)))).toBe('2 b');
    expect(one.status()).toMatchObject([{ node: 2, state: 'connected', code: null }]);
  });

  test('carry the longest body both ways, and refuse a longer one as misuse', async () => {
    const { one, two } = await openTwo();
    const body = Buffer.alloc(MAX_PEER_BODY_BYTES, 7);
    two.serve('echo', (_, given) => Promise.resolve(given));
    expect(Buffer.compare(await settle(one.call(2, 'echo', body, CALL)), body)).toBe(0);
    expect(() => one.call(2, 'echo', Buffer.alloc(MAX_PEER_BODY_BYTES + 1), CALL)).toThrow(RangeError);
  });

  test('give codes, and nothing else, of what a handler throws', async () => {
    const { one, two } = await openTwo();
    two.serve('coded', () => Promise.reject(new PeerError('PEER_CLOSED', 'a secret message')));
    two.serve('uncoded', () => Promise.reject(new Error('a secret message')));
    two.serve('long', () => Promise.resolve(Buffer.alloc(MAX_PEER_BODY_BYTES + 1)));
    for (const [kind, code] of [
      ['coded', 'PEER_CLOSED'],
      ['uncoded', 'INTERNAL'],
      ['long', 'INTERNAL'],
      ['none', 'PEER_KIND_UNKNOWN'],
    ] as const) {
      await expect(settle(one.call(2, kind, Buffer.alloc(0), CALL))).rejects.toMatchObject({
        code: 'PEER_REFUSED',
        details: { node: 2, code },
      });
    }
  });

  test('end calls that nobody answers, and those that are given up', async () => {
    const { one, two } = await openTwo();
    two.serve('never', () => new Promise(() => undefined));
    await expect(settle(one.call(2, 'never', Buffer.alloc(0), CALL))).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    const abort = new AbortController();
    const call = one.call(2, 'never', Buffer.alloc(0), { ...CALL, signal: abort.signal });
    abort.abort();
    await expect(settle(call)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });

  test('refuse a call to a node that nobody named, and one without a session', async () => {
    const one = await nodes.open(1, { peers: [peerOf(2)] });
    await expect(one.call(3, 'echo', Buffer.alloc(0), CALL)).rejects.toMatchObject({ code: 'PEER_UNKNOWN' });
    await expect(one.call(2, 'echo', Buffer.alloc(0), CALL)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    expect(one.status()).toMatchObject([{ node: 2, state: 'connecting', code: null, lastSeen: null }]);
  });

  test('bear no more calls at a time than they may', async () => {
    const { one, two } = await openTwo();
    let handled = 0;
    two.serve('never', () => {
      handled += 1;
      return new Promise(() => undefined);
    });
    const calls = Array.from({ length: 300 }, () => one.call(2, 'never', Buffer.alloc(10), CALL));
    const results = await settle(Promise.allSettled(calls));
    const codes = results.map((each) =>
      each.status === 'rejected' ? (each.reason as PeerError) : undefined,
    );
    expect(codes.filter((error) => error?.code === 'PEER_OVERLOADED')).toHaveLength(44);
    expect(codes.filter((error) => error?.details['code'] === 'PEER_OVERLOADED')).toHaveLength(256 - 64);
    expect(handled).toBe(64);
  });

  test('deliver calls in the order in which they were made', async () => {
    const { one, two } = await openTwo();
    const seen: string[] = [];
    two.serve('note', (_, body) => {
      seen.push(text(body));
      return Promise.resolve(Buffer.alloc(0));
    });
    await settle(
      Promise.all(
        Array.from({ length: 50 }, (_, index) => one.call(2, 'note', Buffer.from(String(index)), CALL)),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
  });

  test.each([1, 2])('find each other again after node %i was killed', async (killed) => {
    const { one, two } = await openTwo();
    const [survivor, other] = killed === 1 ? [two, 1] : [one, 2];
    const sessions: PeerIdentity[] = [];
    survivor.onSession((identity) => sessions.push(identity));
    expect(sessions).toHaveLength(1);
    survivor.serve('echo', (_, body) => Promise.resolve(body));
    nodes.kill(killed);
    const pending = survivor.call(other, 'echo', Buffer.alloc(1), { timeoutMs: 600_000 });
    const back = await nodes.open(killed, { peers: [peerOf(3 - killed)], session: 'f'.repeat(32) });
    // The call of the boot before ends with the session, long before its own time.
    await expect(settle(pending, 10_000)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    expect(await nodes.time.until(() => back.identity(3 - killed) !== undefined, 10_000)).toBe(true);
    expect(survivor.identity(other)?.session).toBe('f'.repeat(32));
    expect(sessions.map(({ session }) => session)).toEqual([expect.anything(), 'f'.repeat(32)]);
    expect(text(await settle(back.call(3 - killed, 'echo', Buffer.from('x'), CALL)))).toBe('x');
  });

  test('notice a silence, and find each other again when it is over', async () => {
    const { one, two } = await openTwo();
    one.serve('echo', (_, body) => Promise.resolve(body));
    nodes.fate = () => [];
    await nodes.time.pass(SILENT_MS + 1_000);
    expect(one.status()).toMatchObject([{ state: 'connecting', code: 'PEER_SILENT', identity: null }]);
    expect(two.status()).toMatchObject([{ state: 'connecting', code: 'PEER_SILENT', identity: null }]);
    await nodes.time.pass(600_000);
    const silent = nodes.sent.length;
    await nodes.time.pass(600_000);
    expect(nodes.sent.length - silent).toBeLessThan(400);
    nodes.fate = (_from, _to, bytes) => [{ after: 1, bytes }];
    expect(await nodes.time.until(() => two.identity(1) !== undefined, 60_000)).toBe(true);
    expect(text(await settle(two.call(1, 'echo', Buffer.from('x'), CALL)))).toBe('x');
  });

  test('renew their session by another handshake, of which calls see nothing', async () => {
    const { one, two } = await openTwo();
    two.serve('slow', async (_, body) => {
      await new Promise<void>((resolve) => {
        nodes.time.after(600_000, resolve);
      });
      return body;
    });
    let sessions = 0;
    one.onSession(() => (sessions += 1));
    two.onSession(() => (sessions += 1));
    const before = one.identity(2);
    await nodes.time.pass(RENEW_MS - 300_000);
    const call = one.call(2, 'slow', Buffer.from('x'), { timeoutMs: RENEW_MS });
    await nodes.time.pass(310_000);
    expect(one.identity(2)?.document).not.toEqual(before?.document);
    expect(text(await settle(call, 600_000))).toBe('x');
    expect(sessions).toBe(2);
  });

  test('end a session that cannot be renewed', async () => {
    const { one } = await openTwo();
    // Handshakes are lost, everything else goes through.
    nodes.fate = (_from, _to, bytes) => (bytes[0] === 5 ? [{ after: 1, bytes }] : []);
    await nodes.time.pass(2 * RENEW_MS - 60_000);
    expect(one.identity(2)).toBeDefined();
    await nodes.time.pass(120_000);
    expect(one.identity(2)).toBeUndefined();
  });

  test('say when they stop', async () => {
    const { one, two } = await openTwo();
    two.serve('never', () => new Promise(() => undefined));
    const call = one.call(2, 'never', Buffer.alloc(0), CALL);
    await nodes.time.pass(20);
    two.close();
    await expect(settle(call, 100)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    expect(one.identity(2)).toBeUndefined();
    await expect(two.call(1, 'never', Buffer.alloc(0), CALL)).rejects.toMatchObject({ code: 'PEER_CLOSED' });
  });
});

test('three nodes have a session each with each other', async () => {
  const all = [1, 2, 3];
  const networks = await Promise.all(
    all.map((node) =>
      nodes.open(node, { peers: all.filter((other) => other !== node).map((other) => peerOf(other)) }),
    ),
  );
  const isWhole = () =>
    networks.every((each) => each.peers.every((peer) => each.identity(peer) !== undefined));
  expect(await nodes.time.until(isWhole, 5_000)).toBe(true);
});
