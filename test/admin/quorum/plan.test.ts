import { describe, expect, it } from 'vitest';
import { describeSharedFaults, type NodeManifest, planQuorum } from '../../../admin/quorum/index.ts';
import { quorumSchema } from '../../../shared/documents/configuration/quorum.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { makeManifest } from '../../cli/node-files.ts';

const SETTINGS = { servesAlone: [], refreshHours: null };

function node(number: number, changes: Partial<Manifest> = {}): NodeManifest {
  const { manifest } = makeManifest([String(number).repeat(64)], {
    node: number,
    kms: {
      keyArn: `arn:aws:kms:eu-central-1:${String(number).repeat(12)}:key/${number}`,
      region: 'eu-central-1',
    },
    emergencyRecovery: { publicKey: `0${number}`.repeat(32) },
    ...changes,
  });
  return { manifest, digest: `d${number}`.repeat(48), pcr16: `e${number}`.repeat(48) };
}

function image(
  first: number,
  more: readonly (readonly [number, Uint8Array])[] = [],
  notAfter: string | null = null,
) {
  const pcrs = [0, 1, 2].map((index) => [index, new Uint8Array(48).fill(first + index)] as const);
  return { pcrs: new Map([...pcrs, ...more]), notAfter };
}
const pcrsOf = (first: number) => ({
  0: Buffer.alloc(48, first).toString('hex'),
  1: Buffer.alloc(48, first + 1).toString('hex'),
  2: Buffer.alloc(48, first + 2).toString('hex'),
});

/** Verifier keys as nodes attest them; only the names in them are looked at. */
function keysOf(nodes: readonly number[]): string[] {
  const { namespace, environment } = node(1).manifest;
  return nodes.flatMap((each) =>
    (['log', 'witness'] as const).map(
      (kind) =>
        `node-${each}.${environment}.${namespace}.holdfast.internal/${kind}+0000000${each}+${Buffer.from(`${kind} ${each}`.padEnd(12)).toString('base64')}`,
    ),
  );
}

describe('the plan of a quorum', () => {
  it('names for each node all others, whatever the order of manifests', () => {
    const planned = planQuorum([node(3), node(1), node(2)], [image(1)], SETTINGS);
    expect(planned.map((each) => each.node)).toEqual([1, 2, 3]);
    const [, second] = planned;
    expect(second?.manifest).toBe('d2'.repeat(48));
    expect(second?.quorum).toEqual({
      peers: [1, 3].map((other) => ({
        node: other,
        manifest: `d${other}`.repeat(48),
        images: [{ pcrs: pcrsOf(1), notAfter: null }],
      })),
      servesAlone: [],
      refreshHours: null,
    });
    for (const { quorum } of planned) expect(quorumSchema.safeParse(quorum).success).toBe(true);
  });

  it('takes an image for one node alone where its measurements name that node, and an end of the old one', () => {
    const own = image(1, [[16, Buffer.from('e2'.repeat(48), 'hex')]]);
    const until = '2027-01-31T00:00:00Z';
    const signed = image(5, [[8, new Uint8Array(48).fill(8)]], until);
    const [first, second] = planQuorum([node(1), node(2), node(3)], [own, signed], {
      servesAlone: ['hot'],
      refreshHours: 24,
    });
    const common = { pcrs: { ...pcrsOf(5), 8: '08'.repeat(48) }, notAfter: until };
    expect(first?.quorum.peers[0]?.images).toEqual([{ pcrs: pcrsOf(1), notAfter: null }, common]);
    expect(second?.quorum.peers[0]?.images).toEqual([common]);
    expect(first?.quorum).toMatchObject({ servesAlone: ['hot'], refreshHours: 24 });
  });

  it('gives each node the keys of the others, and how many of them must cosign', () => {
    const nodes = [node(1), node(2), node(3)];
    const witnesses = { threshold: 2, maxUncosignedSeconds: 60 };
    const settings = { ...SETTINGS, witnesses };
    const planned = planQuorum(nodes, [image(1)], { ...settings, keys: keysOf([3, 1, 2]) });
    const [log, witness] = keysOf([3]);
    expect(planned[1]?.quorum.peers[1]).toMatchObject({ node: 3, log, witness });
    expect(planned[1]?.quorum.witnesses).toEqual(witnesses);
    for (const { quorum } of planned) expect(quorumSchema.safeParse(quorum).success).toBe(true);
  });

  it.each([
    ['of one node too few', [1, 2]],
    ['of one node twice', [1, 2, 3, 3]],
    ['of a node that is not of the quorum', [1, 2, 4]],
  ])('refuses keys %s', (_, of) => {
    const nodes = [node(1), node(2), node(3)];
    expect(() => planQuorum(nodes, [image(1)], { ...SETTINGS, keys: keysOf(of) })).toThrow(
      expect.objectContaining({ code: 'QUORUM_KEYS_MISSING' }),
    );
  });

  it('does not bind PCR8 of an image that is not signed', () => {
    const [first] = planQuorum([node(1), node(2), node(3)], [image(1, [[8, new Uint8Array(48)]])], SETTINGS);
    expect(first?.quorum.peers[0]?.images[0]?.pcrs).toEqual(pcrsOf(1));
  });

  it.each([
    ['namespace', { namespace: 'other' }],
    ['environment', { environment: 'staging' }],
    ['size', { quorum: { size: 5, threshold: 2 } }],
    ['threshold', { quorum: { size: 3, threshold: 3 } }],
  ])('refuses manifests of another %s', (field, change) => {
    expect(() => planQuorum([node(1), node(2, change), node(3)], [image(1)], SETTINGS)).toThrow(
      expect.objectContaining({
        code: 'QUORUM_MANIFESTS_DIFFER',
        details: expect.objectContaining({ field, nodes: [1, 2] }),
      }),
    );
  });

  it.each([
    ['too few', [1, 2]],
    ['a node twice', [1, 2, 2]],
    ['one more', [1, 2, 3, 3]],
  ])('refuses %s', (_, numbers) => {
    expect(() =>
      planQuorum(
        numbers.map((number) => node(number)),
        [image(1)],
        SETTINGS,
      ),
    ).toThrow(expect.objectContaining({ code: 'QUORUM_INCOMPLETE' }));
  });

  it('refuses measurements of another manifest, and a node without an image', () => {
    const nodes = [node(1), node(2), node(3)];
    const foreign = image(1, [[16, new Uint8Array(48).fill(9)]]);
    expect(() => planQuorum(nodes, [image(1), foreign], SETTINGS)).toThrow(
      expect.objectContaining({ code: 'MANIFEST_PCR_MISMATCH' }),
    );
    const ofOne = image(1, [[16, Buffer.from('e1'.repeat(48), 'hex')]]);
    expect(() => planQuorum(nodes, [ofOne], SETTINGS)).toThrow(
      expect.objectContaining({ code: 'QUORUM_INCOMPLETE', details: { node: 2 } }),
    );
  });

  it('tells what several nodes have in common', () => {
    expect(describeSharedFaults([node(1), node(2), node(3)])).toEqual([]);
    const { manifest } = node(1);
    const [account, recovery, authorities, ...rest] = describeSharedFaults([
      node(1),
      node(2),
      node(3, { ...manifest, node: 3 }),
    ]);
    expect(rest).toEqual([]);
    for (const words of [account, recovery, authorities]) expect(words).toMatch(/^nodes 1, 3 have /);
  });
});
