import { describe, expect, it } from 'vitest';
import { AppendError } from '../../../../enclave/log/index.ts';
import { nobleSuites } from '../../../../shared/frost/index.ts';
import { codeOf, MemoryQuorum } from './quorum.ts';

async function generate(quorum: MemoryQuorum, key = 'shared'): Promise<string> {
  const outcome = await quorum.run(quorum.node(1).lead(quorum.order('generate', { keys: [key] })));
  expect(outcome.uninformed).toEqual([]);
  return Buffer.from(outcome.publicKeys[0] ?? []).toString('hex');
}

describe('a ceremony', () => {
  it.each(['shared', 'bitcoin'])('generates a key of which every node holds a share (%s)', async (key) => {
    const quorum = await MemoryQuorum.start({ suites: nobleSuites });
    const publicKey = await generate(quorum, key);
    expect(quorum.epochs(key)).toEqual([1, 1, 1]);
    for (const signers of [
      [1, 2],
      [1, 3],
      [2, 3],
    ])
      expect(quorum.sign(signers, key)).toBe(publicKey);
  });

  it('refreshes all shares of a key, which stays the same', async () => {
    const quorum = await MemoryQuorum.start();
    const publicKey = await generate(quorum);
    const before = quorum.node(2).held.shareRecord('shared')?.current?.share;
    const old = before?.slice();
    await quorum.run(quorum.node(3).lead(quorum.order('refresh')));
    expect(quorum.epochs()).toEqual([2, 2, 2]);
    expect(quorum.sign([2, 3])).toBe(publicKey);
    expect(before).toEqual(new Uint8Array(32));
    expect(quorum.node(2).held.shareRecord('shared')?.current?.share).not.toEqual(old);
  });

  it('imports a whole key, which is forgotten', async () => {
    const quorum = await MemoryQuorum.start({ suites: nobleSuites });
    const secret = new Uint8Array(32).fill(7);
    const { group } = nobleSuites['frost-ed25519'];
    const publicKey = group.encode(group.multiplyBase(secret));
    await quorum.run(quorum.node(2).lead(quorum.order('import-key', { secret, publicKey })));
    expect(secret).toEqual(new Uint8Array(32));
    expect(quorum.sign([1, 3])).toBe(Buffer.from(publicKey).toString('hex'));
  });

  it('gives a share to a new node, raises and lowers the threshold, and leaves a node out', async () => {
    const quorum = await MemoryQuorum.start({ nodes: [1, 2, 3, 4, 7] });
    const order = quorum.order('generate', { holders: [1, 2, 3] });
    const { publicKeys } = await quorum.run(quorum.node(1).lead(order));
    const publicKey = Buffer.from(publicKeys[0] ?? []).toString('hex');
    expect(quorum.epochs()).toEqual([1, 1, 1, undefined, undefined]);
    await quorum.run(quorum.node(1).lead(quorum.order('reshare', { holders: [1, 2, 3, 7], threshold: 3 })));
    expect(quorum.epochs()).toEqual([2, 2, 2, undefined, 2]);
    expect(() => quorum.sign([1, 7])).toThrow(expect.objectContaining({ code: 'PARTICIPANTS_INVALID' }));
    expect(quorum.sign([1, 3, 7])).toBe(publicKey);
    await quorum.run(quorum.node(7).lead(quorum.order('reshare', { holders: [3, 4, 7], threshold: 2 })));
    expect(quorum.epochs()).toEqual([undefined, undefined, 3, 3, 3]);
    expect(quorum.sign([4, 7])).toBe(publicKey);
    expect(() => quorum.node(1).held.share('shared')).toThrow(
      expect.objectContaining({ code: 'SHARE_SUPERSEDED' }),
    );
  });

  it('makes a lost share again, of a node that has lost its store', async () => {
    const quorum = await MemoryQuorum.start();
    const publicKey = await generate(quorum);
    quorum.kill(3);
    quorum.node(3).storage.records = new Map();
    await quorum.boot(3);
    await quorum.settle(1_000);
    expect(quorum.epochs()).toEqual([1, 1, undefined]);
    await quorum.run(quorum.node(3).lead(quorum.order('repair')));
    expect(quorum.epochs()).toEqual([2, 2, 2]);
    expect(quorum.sign([1, 3])).toBe(publicKey);
  });

  it('refreshes many keys at once', async () => {
    const entries = Array.from({ length: 4 }, (_, index) => ({
      id: `key-${index}`,
      type: 'frost-ed25519' as const,
    }));
    const quorum = await MemoryQuorum.start({ entries });
    const keys = entries.map(({ id }) => id);
    await quorum.run(quorum.node(1).lead(quorum.order('generate', { keys })));
    const outcome = await quorum.run(quorum.node(1).lead(quorum.order('refresh', { keys, request: null })));
    expect(outcome.publicKeys).toHaveLength(4);
    expect(quorum.epochs('key-3')).toEqual([2, 2, 2]);
  });

  it('keeps the old epoch where a node denies', async () => {
    const quorum = await MemoryQuorum.start();
    const publicKey = await generate(quorum);
    quorum.node(2).authorise = () => Promise.reject(new RangeError('no'));
    expect(await quorum.run(codeOf(quorum.node(1).lead(quorum.order('refresh'))))).toBe('CEREMONY_REFUSED');
    expect(quorum.epochs()).toEqual([1, 1, 1]);
    expect(quorum.sign([1, 2])).toBe(publicKey);
    quorum.node(2).authorise = async () => undefined;
    await quorum.run(quorum.node(1).lead(quorum.order('refresh')));
    expect(quorum.epochs()).toEqual([2, 2, 2]);
  });

  it('confirms nothing that its log has not taken: the epoch comes to nothing, and no share of it is kept', async () => {
    const quorum = await MemoryQuorum.start();
    const publicKey = await generate(quorum);
    const { held } = quorum.node(2);
    quorum.node(2).record = async () => {
      expect(held.shareRecord('shared')?.pending).toEqual([]);
      throw new AppendError('LOG_NOT_COSIGNED', 'too few witnesses');
    };
    expect(await quorum.run(codeOf(quorum.node(1).lead(quorum.order('refresh'))))).toBe('CEREMONY_REFUSED');
    await quorum.settle();
    expect(held.shareRecord('shared')?.pending).toEqual([]);
    expect(quorum.epochs()).toEqual([1, 1, 1]);
    expect(quorum.sign([1, 2])).toBe(publicKey);
  });

  it('waits for participants that have no session with each other yet', async () => {
    const quorum = await MemoryQuorum.start();
    quorum.network.separate(2, 3);
    const led = quorum.node(1).lead(quorum.order('generate'));
    const met = quorum.timeline.sleep(20_000).then(() => quorum.network.reunite(2, 3));
    await quorum.run(Promise.all([led, met]));
    expect(quorum.epochs()).toEqual([1, 1, 1]);
    expect(quorum.node(2).decided).toHaveLength(1);
  });

  it('waits for a participant that has not met the newest boot of another one', async () => {
    const quorum = await MemoryQuorum.start();
    await generate(quorum);
    const { network } = quorum.node(2);
    if (network === undefined) throw new RangeError('expected a node that runs');
    const [seen] = [network.identity(3)];
    const look = network.identity.bind(network);
    await quorum.boot(3);
    network.identity = (node) => (node === 3 ? seen : look(node));
    const led = quorum.node(1).lead(quorum.order('refresh'));
    const met = quorum.timeline.sleep(20_000).then(() => {
      network.identity = look;
    });
    await quorum.run(Promise.all([led, met]));
    expect(quorum.epochs()).toEqual([2, 2, 2]);
  });

  it('decides once, though a session is lost meanwhile and the plan is asked again', async () => {
    const quorum = await MemoryQuorum.start();
    const two = quorum.node(2);
    two.authorise = async () => {
      quorum.network.separate(2, 3);
    };
    const led = quorum.node(1).lead(quorum.order('generate'));
    const met = quorum.timeline.sleep(10_000).then(() => quorum.network.reunite(2, 3));
    await quorum.run(Promise.all([led, met]));
    expect(quorum.epochs()).toEqual([1, 1, 1]);
    expect(two.decided).toHaveLength(1);
  });

  it('names nodes that never meet, and leaves nothing of it behind', async () => {
    const quorum = await MemoryQuorum.start();
    quorum.network.separate(2, 3);
    const ended = quorum.run(quorum.node(1).lead(quorum.order('generate')));
    await expect(ended).rejects.toMatchObject({ code: 'CEREMONY_NODES_UNREACHABLE' });
    quorum.network.reunite(2, 3);
    await generate(quorum);
  });

  it('asks no node again for a step that has failed', async () => {
    const quorum = await MemoryQuorum.start();
    quorum.node(2).authorise = () => Promise.reject(new RangeError('no'));
    let asked = 0;
    quorum.network.onDelivery = ({ to, kind }) => {
      if (to !== 3 || !kind.includes('commit')) return to !== 3;
      asked += 1;
      return false;
    };
    expect(await quorum.run(codeOf(quorum.node(1).lead(quorum.order('generate'))))).toBe('CEREMONY_REFUSED');
    const before = asked;
    await quorum.settle(60_000);
    expect(asked).toBe(before);
  });
});
