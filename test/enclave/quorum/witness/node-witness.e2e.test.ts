import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SampleLog, submit, witnessRequest } from '../../../audit/log/sample-log.ts';
import { KNOWN_SIZE, makeWitnessTable } from '../../../audit/witness/witness-table.ts';
import { type OutsideWitness, startOutside, type StartOptions, TestNode } from './nodes.ts';

const COSIGNATURE = 'https://holdfast.invalid/cosignature/v1';
let nodes: readonly TestNode[];
let first: TestNode;
let second: TestNode;
let third: TestNode;
/** How long a start and an entry wait where it is to be seen that no cosignatures come. */
const BRIEF_START = { startMs: 2_000 };
const BRIEF = { cosignedWithinMs: 2_500 };
const turn = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts all nodes: once without peers, as a quorum begins, and then one after the other with them. */
async function begin(options: StartOptions = { peers: 2 }): Promise<void> {
  for (const node of nodes) expect(await node.start({ outside: options.outside ?? [] })).toBe('SERVING');
  for (const node of nodes) {
    await node.stop();
    expect(await node.start(options)).toBe('SERVING');
  }
}

/**
 * Waits until no node has added an entry for a while: what is under way ends, on a busy machine later. Cosignatures that
 * cause others never come to that.
 */
async function settled(): Promise<void> {
  const sizes = () => nodes.map(({ store }) => store.snapshot().entries.kept.length).join();
  const isStill = async () => {
    const before = sizes();
    await turn(700);
    return sizes() === before;
  };
  await expect.poll(isStill, { interval: 0 }).toBe(true);
}

/** Waits until a node releases what it signs: one that waits but briefly may do so at another try. */
async function releases(node: TestNode): Promise<void> {
  await expect.poll(() => node.sign()).toBe('released');
}

/** Entries of a node that tell of cosignatures for a log. */
const cosignedBy = (node: TestNode, other: TestNode) =>
  node.entries
    .filter(({ predicateType }) => predicateType === COSIGNATURE)
    .map(({ predicate }) => predicate)
    .filter(({ origin }) => origin === other.logKey.split('+')[0]);

beforeEach(async () => {
  nodes = await TestNode.make(3);
  [first, second, third] = nodes as [TestNode, TestNode, TestNode];
});

afterEach(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
});

describe('three nodes that witness each other', () => {
  it('release what two peers have cosigned, and have an entry and a sealed size of each cosignature', async () => {
    await begin();
    const { checkpoint, index } = await first.log.append(() => new Uint8Array(3));
    const lines = checkpoint.split('\n— ').slice(1);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(
        [first, second, third].map((one, at) => (at === 0 ? one.logKey : one.witnessKey).split('+')[0]),
      ),
    );
    for (const peer of [second, third]) {
      expect(cosignedBy(peer, first).at(-1)).toMatchObject({ size: index + 1 });
    }
  });

  it('end: a cosignature causes no other one', async () => {
    await begin();
    for (const node of nodes) expect(await node.sign()).toBe('released');
    await settled();
  });

  it.each([true, false])(
    'end where parents take peers for outside witnesses: unnamed %s',
    async (isUnnamed) => {
      for (const node of nodes) expect(await node.start({ isUnnamed })).toBe('SERVING');
      for (const node of nodes) expect(await node.sign()).toBe('released');
      await settled();
    },
  );

  it('all decide at the same time without waiting for each other', async () => {
    await using outside = await startOutside(nodes);
    await begin({ peers: 2, outside: [outside] });
    const outcomes = await Promise.all(
      nodes.flatMap((node) => Array.from({ length: 20 }, (_, at) => turn(at * 7).then(() => node.sign()))),
    );
    expect(new Set(outcomes)).toEqual(new Set(['released']));
  });

  it('cosign nothing before their own start has ended', async () => {
    await begin({ peers: 2, ...BRIEF });
    await second.stop();
    await third.stop();
    // Neither of the two is serving: both wait for the other, and the first alone does not suffice.
    const options = { peers: 2, ...BRIEF_START };
    expect(await Promise.all([second.start(options), third.start(options)])).toEqual([
      'LOG_NOT_COSIGNED',
      'LOG_NOT_COSIGNED',
    ]);
    expect(await first.sign()).toBe('LOG_NOT_COSIGNED');
  });

  it('release nothing with too few peers, and what was waived for the time of the configuration', async () => {
    await begin({ peers: 2, maxUncosignedSeconds: 60 });
    expect(await first.sign()).toBe('released');
    await third.stop();
    // The first entry finds out that a peer is away; those after it go on.
    expect(await first.sign()).toBe('released');
    expect(await first.sign()).toBe('released');
    await first.stop();
    await third.start({ peers: 1 });
    expect(await first.start({ peers: 2, ...BRIEF })).toBe('SERVING');
    await third.stop();
    expect(await first.sign()).toBe('LOG_NOT_COSIGNED');
  });

  it('bear one that is away where one of two peers is enough', async () => {
    await begin({ peers: 1 });
    await third.stop();
    expect(await first.sign()).toBe('released');
    await first.stop();
    expect(await first.start({ peers: 1 })).toBe('SERVING');
  });
});

describe('a cosignature for a peer', () => {
  let outside: OutsideWitness;

  beforeEach(async () => {
    outside = await startOutside(nodes);
    return () => outside[Symbol.asyncDispose]();
  });

  it('does not leave before the outside witnesses of the node have seen its entry', async () => {
    await begin({ peers: 2, ...BRIEF });
    await second.stop();
    expect(await second.start({ peers: 2, outside: [outside] })).toBe('SERVING');
    await releases(first);
    outside.isDown = true;
    expect(await first.sign()).toBe('LOG_NOT_COSIGNED');
    expect(cosignedBy(second, first).length).toBeGreaterThan(0);
    outside.isDown = false;
    await releases(first);
  });

  it('needs no peer of the node that gives it', async () => {
    await begin({ peers: 1 });
    await second.stop();
    expect(await second.start({ peers: 2, outside: [outside], ...BRIEF })).toBe('SERVING');
    await third.stop();
    expect(await second.sign()).toBe('LOG_NOT_COSIGNED');
    expect(await first.sign()).toBe('released');
  });

  it('is given again for the same tree without another entry', async () => {
    await begin();
    await first.sign();
    await first.log.append(() => new Uint8Array(1));
    const { checkpoint } = await first.log.append(() => new Uint8Array(2));
    const note = `${checkpoint.split('\n\n')[0]}\n\n${checkpoint.split('\n\n')[1]?.split('\n')[0]}\n`;
    const size = Number(checkpoint.split('\n')[1]);
    const before = second.entries.length;
    for (let time = 0; time < 3; time += 1) {
      const response = await fetch(`${second.url}/add-checkpoint`, {
        method: 'POST',
        body: `old ${size}\n\n${note}`,
      });
      expect(response.status).toBe(200);
      expect(await response.text()).toMatch(new RegExp(`^— ${second.witnessKey.split('+')[0] ?? ''} `));
    }
    expect(second.entries).toHaveLength(before);
  });
});

describe('what a node answers as a witness', () => {
  async function ask(node: TestNode, body: string, method = 'POST', path = '/add-checkpoint') {
    const response = await fetch(`${node.url}${path}`, { method, ...(method === 'POST' ? { body } : {}) });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  }

  it('is what tlog-witness says of each request', async () => {
    const log = new SampleLog();
    expect(await second.start({ follows: [log.vkey] })).toBe('SERVING');
    log.append(KNOWN_SIZE);
    const early = witnessRequest(3, await log.proveConsistency(3), log.checkpoint().note);
    expect(await submit(second.url, early)).toMatchObject({ status: 409, body: '0\n' });
    expect(await submit(second.url, await log.request(0))).toMatchObject({ status: 200 });
    const before = second.entries.length;
    for (const { name, body, status } of await makeWitnessTable(log)) {
      const response = await submit(second.url, body);
      expect([name, response.status]).toEqual([name, status]);
      if (status === 409) expect(response).toMatchObject({ body: '12\n', type: 'text/x.tlog.size' });
    }
    expect(second.entries).toHaveLength(before);
    expect(await ask(second, 'x'.repeat(10 * 1024 + 1))).toMatchObject({ status: 413 });
  });

  it('outlives a restart, and a configuration that did not name the log', async () => {
    const log = new SampleLog();
    const fork = new SampleLog();
    log.append(7);
    fork.append(7, 'another');
    const follows = [log.vkey];
    for (const options of [{ follows }, {}, { follows }]) {
      expect(await second.start(options)).toBe('SERVING');
      const { status } = await submit(second.url, await log.request('follows' in options ? 7 : 0));
      if (second.entries.some(({ predicate }) => predicate['origin'] === log.origin && 'root' in predicate))
        expect(status).toBe('follows' in options ? 200 : 404);
      else expect((await submit(second.url, await log.request(0))).status).toBe(200);
      await second.stop();
    }
    expect(await second.start({ follows })).toBe('SERVING');
    expect((await submit(second.url, await fork.request(7))).status).toBe(422);
    expect((await submit(second.url, await fork.request(0))).status).toBe(409);
  });

  it('comes by one route of the door alone', async () => {
    await begin();
    expect(await ask(second, '', 'GET')).toMatchObject({ status: 405 });
    for (const path of ['/v1/health', '/v1/sign', '/add-checkpoint/', '/add-checkpoint?x', '/'])
      expect(await ask(second, '{}', 'POST', path)).toMatchObject({ status: 404 });
    await second.stop();
    expect(await ask(second, 'old 0\n\n')).toMatchObject({ status: 502 });
  });
});

describe('a store that was rolled back', () => {
  it.each([0, 1, 2])('of one node starts no more: node %i', async (at) => {
    await begin();
    const node = nodes[at] ?? first;
    expect(await node.sign()).toBe('released');
    const before = node.store.snapshot();
    expect(await node.sign()).toBe('released');
    await node.stop();
    node.store.restore(before);
    for (let time = 0; time < 2; time += 1) expect(await node.start({ peers: 2 })).toBe('STORE_ROLLED_BACK');
  });

  it('does not start where one of two peers forgot as well, and does where one is enough', async () => {
    await begin();
    const [firstBefore, secondBefore] = [first.store.snapshot(), second.store.snapshot()];
    expect(await first.sign()).toBe('released');
    // The second node has told nobody of the cosignature that it gave: its own parent can make it forget.
    await second.stop();
    second.store.restore(secondBefore);
    expect(await second.start({ peers: 2 })).toBe('SERVING');
    await first.stop();
    first.store.restore(firstBefore);
    expect(await first.start({ peers: 2 })).toBe('STORE_ROLLED_BACK');
    expect(await first.start({ peers: 1 })).toBe('SERVING');
  });

  it('is refused by peers that cosigned it where the outside witness has forgotten', async () => {
    await using outside = await startOutside(nodes);
    await begin({ peers: 2, outside: [outside] });
    const before = first.store.snapshot();
    expect(await first.sign()).toBe('released');
    await first.stop();
    first.store.restore(before);
    await using forgetful = await startOutside(nodes);
    expect(await first.start({ peers: 2, outside: [forgetful] })).toBe('STORE_ROLLED_BACK');
  });

  it('releases nothing in a clone once the other has started', async () => {
    await begin();
    const before = first.store.snapshot();
    await first.stop();
    expect(await first.start({ peers: 2 })).toBe('SERVING');
    await first.stop();
    first.store.restore(before);
    expect(await first.start({ peers: 2 })).toBe('STORE_ROLLED_BACK');
  });
});

describe('after all nodes have stopped', () => {
  const notAfter = new Date(Date.now() + 3_600_000).toISOString();

  async function stopAll(): Promise<void> {
    for (const node of nodes) await node.stop();
  }

  it('none starts, until the authorities name the tree from which one may start without peers', async () => {
    await begin();
    await stopAll();
    expect(await first.start({ peers: 1, startMs: 500 })).toBe('LOG_NOT_COSIGNED');
    const [one, two] = [await first.tree(), await second.tree()];
    expect(await first.start({ peers: 2, restart: { ...one, notAfter }, ...BRIEF })).toBe('SERVING');
    expect(await first.sign()).toBe('LOG_NOT_COSIGNED');
    expect(await second.start({ peers: 2, restart: { ...two, notAfter } })).toBe('SERVING');
    expect(await third.start({ peers: 2 })).toBe('SERVING');
    for (const node of nodes) await releases(node);
  });

  it('the order to restart serves one tree, once, and for a time', async () => {
    await begin();
    const older = first.store.snapshot();
    expect(await first.sign()).toBe('released');
    await stopAll();
    const tree = await first.tree();
    const restart = { ...tree, notAfter };
    const quick = { peers: 2, startMs: 400 };
    const newest = first.store.snapshot();
    first.store.restore(older);
    expect(await first.start({ ...quick, restart })).toBe('LOG_NOT_COSIGNED');
    first.store.restore(newest);
    const past = new Date(Date.now() - 1).toISOString();
    expect(await first.start({ ...quick, restart: { ...tree, notAfter: past } })).toBe('LOG_NOT_COSIGNED');
    first.store.restore(newest);
    const other = { ...tree, root: 'ff'.repeat(32) };
    expect(await first.start({ ...quick, restart: { ...other, notAfter } })).toBe('LOG_NOT_COSIGNED');
    first.store.restore(newest);
    expect(await first.start({ peers: 2, restart })).toBe('SERVING');
    await first.stop();
    expect(await first.start({ ...quick, restart })).toBe('LOG_NOT_COSIGNED');
  });

  it('a joint rollback of all of them is not noticed by peers, and is by an outside witness', async () => {
    await using outside = await startOutside(nodes);
    await begin({ peers: 2, outside: [outside] });
    const before = nodes.map(({ store }) => store.snapshot());
    for (const node of nodes) expect(await node.sign()).toBe('released');
    await stopAll();
    for (const [at, node] of nodes.entries()) node.store.restore(before[at] ?? node.store.snapshot());
    const trees = [await first.tree(), await second.tree()];
    // Peers alone: whoever orders the restart believes what the parents show, and all three go on from the older state.
    expect(await first.start({ peers: 2, restart: { size: 0, root: '', ...trees[0], notAfter } })).toBe(
      'SERVING',
    );
    expect(await second.start({ peers: 2, restart: { size: 0, root: '', ...trees[1], notAfter } })).toBe(
      'SERVING',
    );
    expect(await third.start({ peers: 2 })).toBe('SERVING');
    for (const node of nodes) expect(await node.sign()).toBe('released');
    await stopAll();
    // With an outside witness, the order to do without peers does not do without it.
    for (const [at, node] of nodes.entries()) node.store.restore(before[at] ?? node.store.snapshot());
    const restart = { ...(await first.tree()), notAfter };
    expect(await first.start({ peers: 2, outside: [outside], restart })).toBe('STORE_ROLLED_BACK');
  });
});
