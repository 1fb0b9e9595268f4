import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeDatagram } from '../../../enclave/peers/datagram.ts';
import { decodeMessage, encodeMessage } from '../../../enclave/peers/message.ts';
import { decodePacket, encodeStreamPacket } from '../../../enclave/peers/packet.ts';
import { PeerStream } from '../../../enclave/peers/stream.ts';
import { Nodes, peerOf } from './nodes.ts';

const number = fc.nat({ max: 2 ** 31 });
const bytes = fc.uint8Array({ maxLength: 300 });
const packet = fc.record({
  kind: fc.constant('stream' as const),
  stream: number,
  acknowledgedStream: number,
  acknowledged: number,
  bitmap: fc.nat({ max: 2 ** 32 - 1 }),
  fragment: fc.option(fc.record({ sequence: number, isLast: fc.boolean(), bytes }), { nil: undefined }),
});
const message = fc.oneof(
  fc.record({
    type: fc.constant('call' as const),
    id: number,
    kind: fc.stringMatching(/^[a-z0-9][a-z0-9./-]{0,63}$/),
    body: bytes,
  }),
  fc.record({ type: fc.constant('answer' as const), id: number, body: bytes }),
  fc.record({
    type: fc.constant('error' as const),
    id: number,
    code: fc.stringMatching(/^[A-Z][A-Z0-9_]{1,63}$/),
  }),
);
/** Bytes as a list, whichever class holds them: a Buffer says itself what it is in JSON. */
const plain = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) => {
      if (each instanceof Uint8Array) return [...each];
      const data: unknown = each !== null && typeof each === 'object' ? Reflect.get(each, 'data') : undefined;
      return data ?? each;
    }),
  ) as unknown;

describe('bytes of a peer', () => {
  test('packets and messages are read as they were written', () => {
    fc.assert(
      fc.property(packet, (value) => {
        expect(plain(decodePacket(encodeStreamPacket(value)))).toEqual(plain(value));
      }),
    );
    fc.assert(
      fc.property(message, (value) => {
        expect(plain(decodeMessage(encodeMessage(value)))).toEqual(plain(value));
      }),
    );
  });

  test('whatever comes is read or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (value) => {
        for (const read of [decodeDatagram, decodePacket, decodeMessage]) {
          expect(() => read(value)).not.toThrow();
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('a stream survives whatever an authentic node says', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 60 }), (packets) => {
        const stream = new PeerStream();
        stream.enqueue(new Uint8Array(100_000));
        for (const [now, each] of packets.entries()) {
          stream.poll(now * 100);
          stream.receive(each, now * 100);
        }
        expect(stream.hasRoom(0)).toBe(true);
      }),
    );
  });

  test('no datagram of a stranger makes a session, ends one, or is answered by more than it has', async () => {
    const nodes = await Nodes.create();
    const one = await nodes.open(1, { peers: [peerOf(2)] });
    const two = await nodes.open(2, { peers: [peerOf(1)] });
    expect(
      await nodes.time.until(() => one.identity(2) !== undefined && two.identity(1) !== undefined, 5_000),
    ).toBe(true);
    const [first] = nodes.sent.filter(({ bytes: sent }) => sent[0] === 2);
    const genuine = nodes.sent.map(({ bytes: sent }) => sent);
    const forged = fc.oneof(
      fc.uint8Array({ maxLength: 6_000 }),
      fc
        .tuple(fc.constantFrom(...genuine), fc.nat(), fc.integer({ min: 1, max: 255 }))
        .map(([sent, place, change]) => {
          const altered = Uint8Array.from(sent);
          altered[place % sent.length] = (altered[place % sent.length] ?? 0) ^ change;
          return altered;
        }),
      fc
        .tuple(fc.constantFrom(...genuine), fc.nat())
        .map(([sent, length]) => sent.subarray(0, length % (sent.length + 1))),
    );
    const session = two.identity(1)?.session;
    fc.assert(
      fc.property(forged, fc.constantFrom(1, 2), (value, to) => {
        nodes.deliver(3 - to, to, value);
      }),
      { numRuns: 3_000 },
    );
    expect(first).toBeDefined();
    await nodes.time.pass(1_000);
    expect([one.identity(2)?.node, two.identity(1)?.session]).toEqual([2, session]);
    nodes.close();
  });
});
