import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../../attestation/index.ts';
import { computeManifestPcr } from '../../../attestation/index.ts';
import { quorumSchema } from '../../../shared/documents/configuration/quorum.ts';
import {
  backend,
  type FakeNode,
  nitroRoot,
  type NodeBehaviour,
  PCRS,
  startFakeNode,
} from '../../client/fake-node.ts';
import { createFakeQuorum } from '../../client/fake-quorum.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder, makeManifest } from '../node-files.ts';

const folder = makeFolder();
/** Manifest by the rules of the enclave, which the verbs read before they ask. */
const manifest = Buffer.from(makeManifest(['ab'.repeat(32)]).text);
const nodes: FakeNode[] = [];
afterAll(async () => {
  for (const node of nodes) await node.close();
});

beforeAll(() => {
  folder.write('pcr.json', formatPcrFile(PCRS));
  folder.write('manifest.json', manifest.toString());
  folder.write('root.pem', nitroRoot.toPem().certificate);
  folder.write('client.pem', backend.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
});

async function start(behaviour: NodeBehaviour): Promise<FakeNode> {
  const node = await startFakeNode({ manifest, ...behaviour });
  nodes.push(node);
  return node;
}

const SIGNED = { signature: '00'.repeat(64), publicKey: 'ab'.repeat(32), rule: 'any', configuration: 1 };
const DEAD = 'https://127.0.0.1:1';

function as(url: string): string[] {
  const file = (name: string) => folder.at(name);
  const trust = ['--pcrs', file('pcr.json'), '--manifest', file('manifest.json'), '--root', file('root.pem')];
  return ['--url', url, ...trust, '--client', 'backend', '--key', file('client.pem')];
}

async function run(args: readonly string[], url: string) {
  return await runHoldfast([...args, ...as(url), '--json']);
}

describe('holdfast quorum', () => {
  it.each([
    [['keys', 'generate', 'treasury'], { kind: 'generate', epoch: 1 }, { key: 'treasury' }],
    [['refresh', 'treasury'], { kind: 'refresh', epoch: 2 }, {}],
    [
      ['reshare', 'treasury', '--to', '3,1', '--threshold', '2'],
      { kind: 'reshare', epoch: 2 },
      { participants: [1, 3], threshold: 2 },
    ],
    [['repair', 'treasury', '--lost', '3'], { kind: 'repair', epoch: 2 }, { node: 3 }],
  ])('%j holds a ceremony to its end', async (words, expected, body) => {
    const { serve, orders } = createFakeQuorum();
    const { url } = await start({ serve });
    const { exit, out } = await run(['quorum', ...words], url);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, ceremony: { ...expected, state: 'done' } });
    expect(orders.map((order) => order.body)).toEqual([body]);
  });

  it('begins a ceremony and waits for it later', async () => {
    const { serve } = createFakeQuorum();
    const { url } = await start({ serve });
    const begun = JSON.parse((await run(['quorum', 'refresh', 'treasury', '--detach'], url)).out) as {
      ceremony: { id: string };
    };
    expect(begun).toMatchObject({ ok: true, ceremony: { state: 'running' } });
    const { out } = await run(['quorum', 'wait', begun.ceremony.id], url);
    expect(JSON.parse(out)).toMatchObject({ ok: true, ceremony: { state: 'done' } });
  });

  it('says the code and the nodes of a ceremony that has failed', async () => {
    const { url } = await start({ serve: createFakeQuorum({ fails: 'CEREMONY_CULPRITS' }).serve });
    const finished = await run(['quorum', 'refresh', 'treasury'], url);
    expect(refusalIn(finished)).toMatchObject({
      exit: 1,
      code: 'CEREMONY_FAILED',
      details: { code: 'CEREMONY_CULPRITS', nodes: [3] },
    });
  });

  it('says what goes on when its time is over, and when it is interrupted', async () => {
    const { serve } = createFakeQuorum({ endless: true });
    const { url } = await start({ serve });
    const late = await run(['quorum', 'refresh', 'treasury', '--timeout', '1'], url);
    expect(refusalIn(late)).toMatchObject({
      exit: 1,
      code: 'CEREMONY_UNFINISHED',
      details: { ceremony: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    const abort = new AbortController();
    const asked = await start({
      serve: (target, ...rest) => {
        if (target.startsWith('/v1/quorum/ceremonies/')) abort.abort();
        return serve(target, ...rest);
      },
    });
    const refresh = ['quorum', 'refresh', 'treasury', ...as(asked.url), '--json'];
    const interrupted = await runHoldfast(refresh, { signal: abort.signal });
    expect(refusalIn(interrupted)).toMatchObject({
      exit: 1,
      code: 'INTERRUPTED',
      details: { ceremony: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it('describes nodes, keys and what is under way', async () => {
    const { url } = await start({ serve: createFakeQuorum().serve });
    const { exit, out } = await run(['quorum', 'status'], url);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      quorum: { node: 1, peers: [{ node: 2 }, { node: 3, code: 'PEER_IMAGE_REFUSED' }] },
      ceremonies: [],
    });
    const text = (await runHoldfast(['quorum', 'status', ...as(url)])).out;
    expect(text).toContain('node 3  refused PEER_IMAGE_REFUSED');
    expect(text).toContain('treasury  frost-ed25519  epoch 1, 2 of 1, 2, 3');
    const list = await run(['quorum', 'keys', 'list'], url);
    expect(JSON.parse(list.out)).toMatchObject({ keys: [{ id: 'treasury', share: { epoch: 1 } }] });
  });

  it('writes a transcript that it gets, of the epoch in force where none is named', async () => {
    const { url } = await start({ serve: createFakeQuorum().serve });
    for (const more of [[], ['--epoch', '1']]) {
      const output = folder.at(`transcript-${more.length}`);
      const got = await run(['quorum', 'transcript', 'get', 'treasury', '--output', output, ...more], url);
      expect(got.exit).toBe(0);
      expect(readFileSync(output, 'utf8')).toBe('transcript');
    }
  });

  it('signs by another node where the first is dead, and says so', async () => {
    const { url } = await start({ serve: () => SIGNED });
    const profile = folder.write(
      'other.yaml',
      `url: ${url}\npcrs: pcr.json\nmanifest: manifest.json\nroot: root.pem\n`,
      0o600,
    );
    const sign = ['quorum', 'sign', 'treasury', '--message', '00', '--algorithm', 'frost-ed25519'];
    const { exit, out, err } = await runHoldfast([...sign, '--node', profile, ...as(DEAD)]);
    expect(exit).toBe(0);
    expect(out).toContain(SIGNED.signature);
    expect(err).toContain('NODE_UNREACHABLE');
    const alone = await run(sign, DEAD);
    expect(refusalIn(alone)).toMatchObject({ exit: 1, code: 'NODES_UNREACHABLE' });
  });

  it('has a child of the key sign', async () => {
    let asked: unknown;
    const { url } = await start({
      serve: (_target, body) => {
        asked = JSON.parse(body.toString());
        return SIGNED;
      },
    });
    const digest = 'ab'.repeat(32);
    const algorithm = 'frost-secp256k1-taproot';
    const words = ['sign', 'treasury', '--digest', digest, '--algorithm', algorithm, '--path', '0/5'];
    const { exit, out } = await run(['quorum', ...words], url);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ key: 'treasury', path: '0/5', ...SIGNED });
    expect(asked).toEqual({ key: 'treasury', algorithm, payload: { kind: 'digest', digest }, path: '0/5' });
  });

  it.each([
    ['reshare', 'treasury', '--to', '1', '--threshold', '2'],
    ['reshare', 'treasury', '--to', '1,1', '--threshold', '2'],
    ['reshare', 'treasury', '--to', '1,2', '--threshold', '3'],
    ['reshare', 'treasury', '--to', '1,2', '--threshold', '1'],
    ['reshare', 'treasury', '--to', '0,2', '--threshold', '2'],
    ['reshare', 'treasury', '--to', '1,256', '--threshold', '2'],
    ['repair', 'treasury', '--lost', '03'],
    ['repair', 'treasury'],
    ['sign', 'treasury', '--message', '00', '--path', "0'/5"],
    ['sign', 'treasury', '--message', '00', '--path', 'm/0/5'],
    ['refresh', 'Treasury'],
    ['refresh', 'treasury', '--timeout', '0'],
    ['wait', 'c0'],
    ['keys'],
    ['keys', 'drop'],
    ['transcript'],
    ['transcript', 'get', 'treasury', '--output', 'x', '--epoch', '-1'],
  ])('is misused by %j', async (...words) => {
    expect(refusalIn(await run(['quorum', ...words], DEAD))).toMatchObject({ exit: 2, code: 'USAGE' });
  });

  it('helps with verbs of two words', async () => {
    const { exit, out } = await runHoldfast(['quorum', 'keys', '--help']);
    expect(exit).toBe(0);
    expect(out).toContain('quorum keys generate');
    expect(out).toContain('quorum keys list');
    expect(out).not.toContain('quorum sign');
  });
});

describe('holdfast quorum create', () => {
  const files = (count: number, changes = {}) =>
    Array.from({ length: count }, (_, index) =>
      folder.write(
        `node-${index + 1}-of-${count}.json`,
        makeManifest(['ab'.repeat(32)], { node: index + 1, ...changes }).text,
      ),
    );
  const create = (paths: readonly string[], more: readonly string[] = []) =>
    runHoldfast([
      'quorum',
      'create',
      ...paths.flatMap((path) => ['--manifest', path]),
      '--pcrs',
      folder.at('pcr.json'),
      ...more,
      '--json',
    ]);

  it('writes what each configuration says of the others', async () => {
    const output = folder.at('quorum');
    const { exit, out } = await create(files(3), [
      '--serves-alone',
      'hot',
      '--refresh-hours',
      '24',
      '--output',
      output,
    ]);
    expect(exit).toBe(0);
    const { files: written, warnings } = JSON.parse(out) as { files: string[]; warnings: string[] };
    expect(written).toHaveLength(3);
    // The sample's manifests have one account, one recovery key and one authority.
    expect(warnings).toHaveLength(3);
    for (const path of written) {
      const { quorum } = JSON.parse(readFileSync(path, 'utf8')) as { quorum: unknown };
      expect(quorumSchema.parse(quorum)).toMatchObject({ servesAlone: ['hot'], refreshHours: 24 });
    }
    expect(existsSync(`${output}/node-4.quorum.json`)).toBe(false);
  });

  it('takes the image of one node by its PCR16', async () => {
    const [first = '', ...others] = files(3);
    const pcr16 = computeManifestPcr(readFileSync(first));
    const own = folder.write(
      'own.json',
      formatPcrFile(new Map([...PCRS, [0, new Uint8Array(48).fill(7)], [16, pcr16]])),
    );
    const { out } = await create([first, ...others], ['--pcrs', own]);
    const { nodes: planned } = JSON.parse(out) as {
      nodes: { quorum: { peers: { node: number; images: unknown[] }[] } }[];
    };
    const images = planned.flatMap(({ quorum }) =>
      quorum.peers.map((peer) => [peer.node, peer.images.length]),
    );
    expect(images).toEqual([
      [2, 1],
      [3, 1],
      [1, 2],
      [3, 1],
      [1, 2],
      [2, 1],
    ]);
  });

  it('refuses a manifest too few, and manifests of two quorums', async () => {
    expect(refusalIn(await create(files(3).slice(1)))).toMatchObject({ exit: 1, code: 'QUORUM_INCOMPLETE' });
    const [first = '', second = ''] = files(3);
    const other = folder.write(
      'other-quorum.json',
      makeManifest(['ab'.repeat(32)], { node: 3, namespace: 'other' }).text,
    );
    expect(refusalIn(await create([first, second, other]))).toMatchObject({
      exit: 1,
      code: 'QUORUM_MANIFESTS_DIFFER',
    });
  });

  it.each([
    ['--old-pcrs', 'pcr.json'],
    ['--old-until', '2030-01-01T00:00:00Z'],
    ['--refresh-hours', '0'],
    ['--refresh-hours', '8785'],
    ['--serves-alone', 'Hot'],
    ['--log-key', 'no key'],
    ['--max-uncosigned', '60'],
    ['--witness-threshold', '2'],
  ])('is misused by %j', async (...more) => {
    const given = more.map((word) => (word === 'pcr.json' ? folder.at(word) : word));
    expect(refusalIn(await create(files(3), given))).toMatchObject({ exit: 2, code: 'USAGE' });
  });
});
