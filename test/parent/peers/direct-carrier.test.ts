import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { DIRECT_LIMITS, MAX_GREETING_PER_SOURCE } from '../../../parent/peers/direct/limits.ts';
import { connectEnclave } from './enclave.ts';
import { datagramFrame, dialRaw, frameOf, helloFrame, startDeadNetwork } from './raw-parent.ts';
import { closeAll, closeLater, startNode, startNodeParent, until } from './start-node.ts';

afterEach(closeAll);

const FAST = { minBackoffMs: 20, maxBackoffMs: 100 };

async function startPair(limits = FAST) {
  const [a, b] = [await startNode(1, { limits }), await startNode(2, { limits })];
  a.peers.setNodes([{ node: 2, address: b.address }]);
  b.peers.setNodes([{ node: 1, address: a.address }]);
  return [a, b] as const;
}

const isConnected = (
  { peers }: { peers: Awaited<ReturnType<typeof startNodeParent>>['peers'] },
  node: number,
) => peers.status.peers.find((one) => one.node === node)?.isConnected === true;

describe('two parents', () => {
  it('carry datagrams between their enclaves, both ways', async () => {
    const [a, b] = await startPair();
    await a.enclave.send(2, 'there');
    expect(await b.enclave.waitFor(1)).toBe('there');
    await b.enclave.send(1, 'and back');
    expect(await a.enclave.waitFor(1)).toBe('and back');
    expect(a.enclave.delivered[0]?.from).toBe(2);
  });

  it('carry the longest datagram there is', async () => {
    const [a, b] = await startPair();
    await a.enclave.send(2, Buffer.alloc(65_535, 7));
    await b.enclave.waitFor(1);
    expect(b.enclave.delivered[0]?.bytes.length).toBe(65_535);
  });

  it('need one of them to dial alone', async () => {
    const a = await startNode(1, { limits: FAST, nodes: [{ node: 2 }] });
    const b = await startNode(2, { limits: FAST, nodes: [{ node: 1, address: a.address }] });
    await until('they are connected', () => isConnected(a, 2));
    await a.enclave.send(2, 'by the connection that came');
    expect(await b.enclave.waitFor(1)).toBe('by the connection that came');
  });

  it('find each other again after either was started anew', async () => {
    const [a, b] = await startPair();
    await a.enclave.send(2, 'before');
    await b.enclave.waitFor(1);
    const listen = { port: b.address.port };
    await b.peers.close();
    await until('the loss is noticed', () => !isConnected(a, 2));
    const again = await startNode(2, { limits: FAST, listen, nodes: [{ node: 1, address: a.address }] });
    await a.enclave.send(2, 'after');
    expect(await again.enclave.waitFor(1)).toBe('after');
    await again.enclave.send(1, 'back');
    expect(await a.enclave.waitFor(1)).toBe('back');
  });

  it('notice a network that is gone without a word, and dial anew (half-open connections)', async () => {
    const limits = { ...FAST, keepaliveMs: 50, idleTimeoutMs: 200, greetingTimeoutMs: 200 };
    const b = await startNode(2, { limits, nodes: [{ node: 1 }] });
    const network = closeLater(await startDeadNetwork(b.address));
    const a = await startNode(1, { limits, nodes: [{ node: 2, address: network.address }] });
    await a.enclave.send(2, 'before');
    await b.enclave.waitFor(1);
    network.die();
    await until('both have cut', () => !isConnected(a, 2) && !isConnected(b, 1));
    expect(a.peers.counters.of(2).ends.get('IDLE')).toBeGreaterThan(0);
    network.live();
    await until('they are connected', () => isConnected(a, 2));
    await a.enclave.send(2, 'after');
    expect(await b.enclave.waitFor(2)).toBe('after');
  });

  it('keep a connection that has nothing to carry', async () => {
    const endsOfPair = async () => {
      const [a, b] = await startPair({ ...FAST, keepaliveMs: 30, idleTimeoutMs: 150 } as typeof FAST);
      await until('they are connected', () => isConnected(a, 2) && isConnected(b, 1));
      await sleep(500);
      return [...a.peers.counters.of(2).ends];
    };
    // A process that stood still was silent, too: it does not stand still three times.
    const tries = [await endsOfPair()];
    while (tries.length < 3 && tries.at(-1)?.length !== 0) tries.push(await endsOfPair());
    expect(tries.at(-1)).toEqual([]);
  });
});

describe('a parent that dials', () => {
  it('goes on nowhere where another node answers', async () => {
    const b = await startNode(2, { nodes: [{ node: 1 }] });
    const a = await startNode(1, { limits: FAST, nodes: [{ node: 3, address: b.address }] });
    await until('the refusal', () => a.peers.counters.of(3).outcome === 'WRONG_NODE');
    await a.enclave.send(3, 'secret');
    await sleep(50);
    expect(b.enclave.delivered).toEqual([]);
    expect(b.peers.counters.refused.get('WRONG_NODE')).toBeGreaterThan(0);
  });

  it('is told that the other does not know its node', async () => {
    const b = await startNode(2, { nodes: [{ node: 3 }] });
    const a = await startNode(1, { limits: FAST, nodes: [{ node: 2, address: b.address }] });
    await until('the refusal', () => a.peers.counters.of(2).outcome === 'UNKNOWN_NODE');
    expect(a.peers.counters.of(2).outcome).toBe('UNKNOWN_NODE');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['something else', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a greeting of another length than any has', Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
    [
      'a greeting with a member more',
      frameOf({ type: 'hello', protocol: 'holdfast-parents/1', from: 2, to: 1, x: 1 }),
    ],
  ])('gives up a server that says %s', async (_what, answer) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(answer);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeLater(server);
    const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const limits = { ...FAST, greetingTimeoutMs: 200 };
    const a = await startNode(1, { limits, nodes: [{ node: 2, address }] });
    await until('it gives up', () => a.peers.counters.of(2).outcome === 'GREETING_FAILED');
    expect(isConnected(a, 2)).toBe(false);
  });

  it('says that nobody listens', async () => {
    const a = await startNode(1, {
      limits: FAST,
      nodes: [{ node: 2, address: { host: '127.0.0.1', port: 9 } }],
    });
    await until('it says so', () => a.peers.counters.of(2).outcome === 'CONNECT_FAILED');
    expect(a.peers.counters.of(2).outcome).toBe('CONNECT_FAILED');
  });

  it('follows a changed configuration', async () => {
    const [a, b] = await startPair();
    await until('they are connected', () => isConnected(a, 2));
    const elsewhere = await startNode(2, { nodes: [{ node: 1 }] });
    a.peers.setNodes([{ node: 2, address: elsewhere.address }]);
    b.peers.setNodes([{ node: 1 }]);
    await a.enclave.send(2, 'to the new one');
    expect(await elsewhere.enclave.waitFor(1)).toBe('to the new one');
    a.peers.setNodes([]);
    await a.enclave.send(2, 'to nobody');
    await until('it is counted', () => a.peers.counters.unknown === 1);
  });
});

describe('a parent that is connected to', () => {
  it('carries what somebody sends who says that they are node 2, and gives them nothing of node 2', async () => {
    const [a, b] = await startPair();
    await until('they are connected', () => isConnected(a, 2));
    const stranger = closeLater(await dialRaw(a.address));
    stranger.socket.write(Buffer.concat([helloFrame(2, 1), datagramFrame('forged')]));
    expect(await a.enclave.waitFor(1)).toBe('forged');
    expect(a.enclave.delivered[0]?.from).toBe(2);
    await a.enclave.send(2, 'for node 2');
    expect(await b.enclave.waitFor(1)).toBe('for node 2');
    expect(stranger.received()).not.toContain('for node 2');
  });

  it.each([
    ['a frame that is too long', Buffer.from([0, 1, 0, 0x80, 1])],
    ['a frame without a body', Buffer.from([0, 0, 0, 1, 1])],
    ['a frame of another version', Buffer.from([0, 0, 0, 2, 2, 0xa0])],
    ['an empty datagram', frameOf({ type: 'datagram', bytes: Buffer.alloc(0) })],
    ['a datagram that is text', frameOf({ type: 'datagram', bytes: 'text' })],
    ['an unknown frame', frameOf({ type: 'route', to: 3 })],
    ['a second greeting', helloFrame(2, 1)],
    ['no CBOR', Buffer.from([0, 0, 0, 3, 1, 0xff, 0xff])],
  ])('cuts off who sends %s, and them alone', async (_what, bytes) => {
    const [a, b] = await startPair();
    await until('they are connected', () => isConnected(a, 2));
    const stranger = closeLater(await dialRaw(a.address));
    stranger.socket.write(Buffer.concat([helloFrame(2, 1), bytes]));
    await stranger.ended;
    expect(a.peers.counters.of(2).ends.get('FRAME_REFUSED')).toBe(1);
    await b.enclave.send(1, 'still here');
    expect(await a.enclave.waitFor(1)).toBe('still here');
  });

  it('takes a frame byte by byte, and cuts one that does not end', async () => {
    const a = await startNode(1, { nodes: [{ node: 2 }] });
    const slow = closeLater(await dialRaw(a.address));
    for (const byte of Buffer.concat([helloFrame(2, 1), datagramFrame('slow')])) {
      slow.socket.write(Buffer.of(byte));
      await sleep(0);
    }
    expect(await a.enclave.waitFor(1)).toBe('slow');
    slow.socket.end(Buffer.from([0, 0, 1]));
    await slow.ended;
    await until('it is cut', () => a.peers.counters.of(2).ends.size === 1);
    expect([...a.peers.counters.of(2).ends.keys()]).toEqual(['BROKEN']);
  });

  it('keeps few strangers waiting, each for a short time', async () => {
    const limits = { greetingTimeoutMs: 3_000 };
    const a = await startNode(1, { limits, nodes: [{ node: 2 }] });
    const strangers = await Promise.all(Array.from({ length: 40 }, () => dialRaw(a.address)));
    strangers.forEach(closeLater);
    await until('most are turned away', () => strangers.filter((one) => one.isEnded()).length >= 32);
    expect(strangers.filter((one) => !one.isEnded()).length).toBe(MAX_GREETING_PER_SOURCE);
    expect(a.peers.counters.refused.get('OVERLOADED')).toBe(40 - MAX_GREETING_PER_SOURCE);
    await until('the rest is gone', () => strangers.every((one) => one.isEnded()));
    const late = closeLater(await dialRaw(a.address));
    late.socket.write(Buffer.concat([helloFrame(2, 1), datagramFrame('late')]));
    expect(await a.enclave.waitFor(1)).toBe('late');
  });

  it('reads no more than a greeting of who has not greeted', async () => {
    const a = await startNode(1, { nodes: [{ node: 2 }] });
    const stranger = closeLater(await dialRaw(a.address));
    stranger.socket.write(frameOf({ type: 'hello', protocol: 'x'.repeat(500), from: 2, to: 1 }));
    await stranger.ended;
    expect(a.peers.counters.refused.get('GREETING_FAILED')).toBe(1);
  });

  it('keeps four connections of one node, and ends the one that was silent longest', async () => {
    const a = await startNode(1, { nodes: [{ node: 2 }] });
    const dialled = [];
    for (let index = 0; index < 5; index += 1) {
      const one = closeLater(await dialRaw(a.address));
      one.socket.write(Buffer.concat([helloFrame(2, 1), datagramFrame(`from ${index}`)]));
      await a.enclave.waitFor(index + 1);
      dialled.push(one);
    }
    await dialled[0]?.ended;
    expect(dialled.map((one) => one.isEnded())).toEqual([true, false, false, false, false]);
    expect(a.peers.counters.of(2).ends.get('REPLACED')).toBe(1);
  });
});

describe('a peer that is slow, or floods', () => {
  it('holds up no other when it does not read; the oldest are dropped and counted', async () => {
    const a = await startNode(1, { nodes: [{ node: 2 }, { node: 3 }] });
    const deaf = closeLater(await dialRaw(a.address));
    deaf.socket.write(helloFrame(3, 1));
    await until('it is connected', () => isConnected(a, 3));
    deaf.socket.pause();
    const b = await startNode(2, { limits: FAST, nodes: [{ node: 1, address: a.address }] });
    await until('the other is connected', () => isConnected(a, 2));
    for (let index = 0; index < 400; index += 1) await a.enclave.send(3, Buffer.alloc(60_000));
    await a.enclave.send(2, 'at once');
    expect(await b.enclave.waitFor(1)).toBe('at once');
    expect(a.peers.counters.of(3).dropped.get('sent/QUEUE_FULL')).toBeGreaterThan(100);
    expect(a.peers.counters.of(2).dropped.size).toBe(0);
  });

  it('holds up no other when it floods', async () => {
    const a = await startNode(1, { nodes: [{ node: 2 }, { node: 3 }] });
    const b = await startNode(2, { limits: FAST, nodes: [{ node: 1, address: a.address }] });
    await until('the other is connected', () => isConnected(a, 2));
    const flood = closeLater(await dialRaw(a.address));
    const many = Buffer.concat(Array.from({ length: 2_000 }, () => datagramFrame('x')));
    flood.socket.write(helloFrame(3, 1));
    for (let index = 0; index < 10; index += 1) flood.socket.write(many);
    await until('the flood has begun', () => a.enclave.delivered.length > 500);
    await b.enclave.send(1, 'between');
    await until('it has come', () => a.enclave.delivered.some(({ from }) => from === 2));
    expect(a.enclave.delivered.length).toBeLessThan(20_001);
  });
});

describe('the enclave’s end', () => {
  it('drops and counts what comes while there is no enclave', async () => {
    const a = await startNodeParent(1, { nodes: [{ node: 2 }] });
    const other = closeLater(await dialRaw(a.address));
    other.socket.write(Buffer.concat([helloFrame(2, 1), datagramFrame('too early')]));
    await until('it is dropped', () => a.peers.counters.of(2).dropped.get('received/ENCLAVE_AWAY') === 1);
    const enclave = await a.connect();
    await until('the enclave is there', () => a.peers.status.enclave);
    other.socket.write(datagramFrame('in time'));
    expect(await enclave.waitFor(1)).toBe('in time');
  });

  it('is for the enclave of this node alone', async () => {
    const a = await startNodeParent(1, { nodes: [{ node: 2 }] });
    const foreign = closeLater(await connectEnclave(a.directory, 1, { cid: 99 }));
    await foreign.ended;
    const other = closeLater(await connectEnclave(a.directory, 2));
    await other.ended;
    expect(a.peers.status.enclave).toBe(false);
  });

  it('belongs to the newest connection', async () => {
    const a = await startNodeParent(1, { nodes: [{ node: 2 }] });
    const old = await a.connect();
    await until('the first is there', () => a.peers.status.enclave);
    const next = await a.connect();
    await old.ended;
    const other = closeLater(await dialRaw(a.address));
    other.socket.write(Buffer.concat([helloFrame(2, 1), datagramFrame('for the newest')]));
    expect(await next.waitFor(1)).toBe('for the newest');
    expect(a.peers.status.enclave).toBe(true);
  });

  it('is hung up on when its enclave is gone, or says open twice', async () => {
    const a = await startNodeParent(1, { nodes: [{ node: 2 }] });
    const first = await a.connect();
    await until('it is there', () => a.peers.status.enclave);
    a.peers.disconnect();
    await first.ended;
    await until('it is gone', () => !a.peers.status.enclave);
    const second = await a.connect();
    await second.write({ type: 'open', node: 1, peers: [] });
    await second.ended;
    await until('it is gone', () => !a.peers.status.enclave);
    expect(a.peers.status.enclave).toBe(false);
  });

  it('shows what the enclave says of its sessions', async () => {
    const a = await startNode(1, { nodes: [{ node: 2 }] });
    const said = { node: 2, state: 'refused', code: 'PEER_IMAGE_UNKNOWN', since: 1, lastSeen: null } as const;
    await a.enclave.write({ type: 'status', peers: [said] });
    await until('it is shown', () => a.peers.status.peers[0]?.session === 'refused');
    expect(a.peers.status.peers[0]).toMatchObject({ node: 2, code: 'PEER_IMAGE_UNKNOWN' });
  });
});

it('names times that fit: a ping comes well before the silence is noticed', () => {
  expect(DIRECT_LIMITS.keepaliveMs * 2).toBeLessThan(DIRECT_LIMITS.idleTimeoutMs);
});
