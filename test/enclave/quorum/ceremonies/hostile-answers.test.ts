import { describe, expect, it } from 'vitest';
import { CALLS, encodeCall } from '../../../../enclave/quorum/ceremonies/wire.ts';
import type { MemoryPeer } from '../../peers/memory-network.ts';
import { MemoryQuorum } from './quorum.ts';

/** Has node 1 answer whatever a test likes; returns a function that makes it honest again. */
function corrupt(quorum: MemoryQuorum, answerAs: (kind: string) => Uint8Array): () => void {
  const peer = quorum.node(1).network as MemoryPeer;
  const answer = peer.answer.bind(peer);
  peer.answer = (_, { kind }) => Promise.resolve(answerAs(kind));
  return () => {
    peer.answer = answer;
  };
}

/** A key of nodes 1, 2 and 3; node 4 has no share. */
async function startWithKey() {
  const quorum = await MemoryQuorum.start({ nodes: [1, 2, 3, 4] });
  const order = quorum.order('generate', { holders: [1, 2, 3] });
  const { publicKeys } = await quorum.run(quorum.node(2).lead(order));
  return { quorum, publicKey: Buffer.from(publicKeys[0] ?? []).toString('hex') };
}

describe('a node that answers what is not true', () => {
  it.each([
    ['no answer', () => Uint8Array.of(0xff)],
    [
      'states of the key that hinder every ceremony',
      (kind: string) =>
        kind !== CALLS.state
          ? Uint8Array.of(0xff)
          : encodeCall({
              states: [
                {
                  key: 'shared',
                  type: 'frost-ed25519',
                  group: { epoch: 99, threshold: 1, holders: [1, 2], commitments: [new Uint8Array(32)] },
                  origin: new Uint8Array(48),
                  highest: 0xffff_ffff,
                  unresolved: [{ id: new Uint8Array(16).fill(7), holders: [2, 3, 4] }],
                },
              ],
            }),
    ],
  ])('is removed all the same: %s', async (_, answerAs) => {
    const { quorum, publicKey } = await startWithKey();
    corrupt(quorum, answerAs);
    const order = quorum.order('reshare', { holders: [2, 3, 4], threshold: 2 });
    await quorum.run(quorum.node(2).lead(order));
    expect(quorum.epochs().slice(1)).toEqual([2, 2, 2]);
    expect(quorum.sign([3, 4])).toBe(publicKey);
  });

  it('keeps nobody from asking for the end of a ceremony later on', async () => {
    const { quorum, publicKey } = await startWithKey();
    quorum.network.onDelivery = ({ kind }) => kind !== CALLS.activate;
    const recover = corrupt(quorum, () => Uint8Array.of(0xff));
    await quorum.run(quorum.node(1).lead(quorum.order('refresh')));
    await quorum.settle(30_000);
    expect(quorum.epochs().slice(0, 3)).toEqual([2, 1, 1]);
    recover();
    await quorum.settle();
    expect(quorum.epochs().slice(0, 3)).toEqual([2, 2, 2]);
    expect(quorum.sign([2, 3])).toBe(publicKey);
  });
});
