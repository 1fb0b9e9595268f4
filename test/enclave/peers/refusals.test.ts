import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AttestationFields } from '../../../enclave/nsm/client.ts';
import { ID_BYTES } from '../../../enclave/peers/datagram.ts';
import { NitroRoot } from '../../../local/nsm/index.ts';
import { manifestOf, Nodes, type NodeOptions, pcrsOf, peerOf, START } from './nodes.ts';

let nodes: Nodes;
beforeEach(async () => {
  nodes = await Nodes.create();
});
afterEach(() => nodes.close());

const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
const ZERO = '0'.repeat(96);
const FIRST_SEEN_CALL = { timeoutMs: 1_000 };

type Change = Partial<NodeOptions>;

/**
 * Opens node 1 and node 2, of which the node `shown` shows something that the other one is to refuse, and returns what
 * both say of each other.
 */
async function meet(shown: 1 | 2, change: Change, judge: Change = {}) {
  const judging = shown === 1 ? 2 : 1;
  const judged = await nodes.open(shown, { peers: [peerOf(judging)], ...change });
  const judgeNode = await nodes.open(judging, { peers: [peerOf(shown)], ...judge });
  await nodes.time.until(() => judgeNode.status()[0]?.code !== null, 5_000);
  return { judge: judgeNode, judged };
}

const cases: (readonly [name: string, code: string, change: () => Change, judge?: Change])[] = [
  ['another PCR0', 'PEER_IMAGE_REFUSED', () => ({ image: { ...pcrsOf('image'), 0: pcrsOf('other')[0] } })],
  ['another PCR1', 'PEER_IMAGE_REFUSED', () => ({ image: { ...pcrsOf('image'), 1: pcrsOf('other')[1] } })],
  ['another PCR2', 'PEER_IMAGE_REFUSED', () => ({ image: { ...pcrsOf('image'), 2: pcrsOf('other')[2] } })],
  [
    'an image that somebody else has signed',
    'PEER_IMAGE_REFUSED',
    () => ({ image: pcrsOf('image', 'another signer') }),
    {
      peers: ['1', '2'].map((node) =>
        peerOf(Number(node), { images: [{ pcrs: pcrsOf('image', 'signer'), notAfter: null }] }),
      ),
    },
  ],
  [
    'an image without the signature that is asked for',
    'PEER_IMAGE_REFUSED',
    () => ({}),
    {
      peers: ['1', '2'].map((node) =>
        peerOf(Number(node), { images: [{ pcrs: pcrsOf('image', 'signer'), notAfter: null }] }),
      ),
    },
  ],
  ['a debug enclave', 'PEER_DEBUG', () => ({ image: { 0: ZERO, 1: ZERO, 2: ZERO } })],
  ['PCR0 alone zero', 'PEER_DEBUG', () => ({ image: { ...pcrsOf('image'), 0: ZERO } })],
  ['the manifest of another quorum', 'PEER_OTHER_QUORUM', () => ({ manifest: manifestOf(77) })],
  [
    'another number in its binding',
    'PEER_NUMBER_WRONG',
    () => ({
      attest: (fields, real) =>
        real({
          ...fields,
          userData: Buffer.from(
            Buffer.from(fields.userData ?? [])
              .toString()
              .replace(/"node":[12]/, '"node":9'),
          ),
        }),
    }),
  ],
  ["an NSM's clock that is ahead", 'PEER_CLOCK_DIFFERS', () => ({ ahead: 600_000 })],
  ["an NSM's clock that is behind", 'PEER_DOCUMENT_STALE', () => ({ ahead: -50_000 - 60_000 })],
  [
    'a document without a nonce',
    'PEER_DOCUMENT_STALE',
    () => ({ attest: ({ userData, publicKey }, real) => real({ ...given({ userData, publicKey }) }) }),
  ],
  [
    'a document for another handshake',
    'PEER_DOCUMENT_STALE',
    () => ({ attest: (fields, real) => real({ ...fields, nonce: new Uint8Array(32) }) }),
  ],
  [
    'a document for another key',
    'PEER_KEY_MISMATCH',
    () => ({ attest: (fields, real) => real({ ...fields, publicKey: new Uint8Array(32).fill(9) }) }),
  ],
  [
    'a document without a binding',
    'PEER_BINDING_MALFORMED',
    () => ({ attest: ({ nonce, publicKey }, real) => real(given({ nonce, publicKey })) }),
  ],
  [
    'a binding of another format',
    'PEER_BINDING_MALFORMED',
    () => ({
      attest: (fields, real) =>
        real({
          ...fields,
          userData: Buffer.from(
            Buffer.from(fields.userData ?? [])
              .toString()
              .replace('peer/1', 'peer/2'),
          ),
        }),
    }),
  ],
  [
    'a binding with a member too many',
    'PEER_BINDING_MALFORMED',
    () => ({
      attest: (fields, real) =>
        real({
          ...fields,
          userData: Buffer.from(
            Buffer.from(fields.userData ?? [])
              .toString()
              .replace('{', '{"a":1,'),
          ),
        }),
    }),
  ],
  [
    'a document that was altered',
    'PEER_DOCUMENT_REFUSED',
    () => ({
      attest: async (fields, real) => {
        const document = await real(fields);
        document[document.length - 1] = (document.at(-1) ?? 0) ^ 1;
        return document;
      },
    }),
  ],
  ['no document', 'PEER_DOCUMENT_REFUSED', () => ({ attest: () => Promise.resolve(new Uint8Array(100)) })],
  [
    'an empty document',
    'PEER_DOCUMENT_REFUSED',
    () => ({ attest: () => Promise.resolve(new Uint8Array(0)) }),
  ],
  [
    'an image that was accepted until a second ago',
    'PEER_IMAGE_EXPIRED',
    () => ({}),
    {
      peers: [1, 2].map((node) =>
        peerOf(node, { images: [{ pcrs: pcrsOf('image'), notAfter: iso(START - 1_000) }] }),
      ),
    },
  ],
];

function given(fields: { [name in keyof AttestationFields]: Uint8Array | undefined }): AttestationFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

describe.each([1, 2] as const)('a node refuses node %i, which shows', (shown) => {
  test.each(cases.map(([name, ...rest]) => [name, rest] as const))(
    '%s',
    async (_name, [code, change, judgeChange = {}]) => {
      const judging = 3 - shown;
      const own = judgeChange.peers?.filter(({ node }) => node !== judging);
      const { judge, judged } = await meet(shown, change(), own === undefined ? {} : { peers: own });
      expect(judge.status()).toMatchObject([{ node: shown, state: 'refused', code, identity: null }]);
      expect(judge.identity(shown)).toBeUndefined();
      judge.serve('echo', (_, body) => Promise.resolve(body));
      await nodes.time.pass(20_000);
      expect(judged.identity(judging)).toBeUndefined();
      await expect(judged.call(judging, 'echo', new Uint8Array(), FIRST_SEEN_CALL)).rejects.toMatchObject({
        code: 'PEER_UNREACHABLE',
      });
      // The refusal of a third message is told to its sender, whom the judge has proved itself to.
      const told = shown === 1 ? { code: 'PEER_REFUSES_THIS_NODE', theirCode: code } : { code: null };
      expect(judged.status()).toMatchObject([told]);
    },
  );

  test('a document under another root', async () => {
    const { judge } = await meet(shown, { root: await NitroRoot.create(START) });
    expect(judge.status()).toMatchObject([{ state: 'refused', code: 'PEER_DOCUMENT_REFUSED' }]);
  });

  test('the manifest of the node that it asks', async () => {
    const { judge } = await meet(shown, { manifest: manifestOf(3 - shown) });
    expect(judge.status()).toMatchObject([{ state: 'refused', code: 'PEER_SELF' }]);
  });

  test('the manifest of a third node', async () => {
    const { judge } = await meet(shown, { manifest: manifestOf(3) }, { peers: [peerOf(shown), peerOf(3)] });
    expect(judge.status()[0]).toMatchObject({ state: 'refused', code: 'PEER_NUMBER_WRONG' });
  });

  test('a document that it has kept of an earlier handshake', async () => {
    let kept: Uint8Array | undefined;
    await meet(shown, {});
    const replaying: Change = {
      attest: async (fields, real) => (kept ??= await real(fields)),
    };
    await nodes.time.pass(1_000);
    const judging = 3 - shown;
    nodes.kill(shown);
    await nodes.open(shown, { peers: [peerOf(judging)], ...replaying });
    await nodes.time.pass(10_000);
    nodes.kill(judging);
    nodes.kill(shown);
    await nodes.open(shown, { peers: [peerOf(judging)], ...replaying });
    const judge = await nodes.open(judging, { peers: [peerOf(shown)] });
    await nodes.time.until(() => judge.status()[0]?.code !== null, 5_000);
    expect(kept).toBeDefined();
    expect(judge.status()).toMatchObject([{ state: 'refused', code: 'PEER_DOCUMENT_STALE' }]);
  });
});

test('the node whose image is one of two accepted ones is taken', async () => {
  const images = [
    { pcrs: pcrsOf('newer', 'signer'), notAfter: null },
    { pcrs: pcrsOf('image'), notAfter: iso(START + 3_600_000) },
  ];
  const judge = await nodes.open(1, { peers: [peerOf(2, { images })] });
  await nodes.open(2, { peers: [peerOf(1)] });
  expect(await nodes.time.until(() => judge.identity(2) !== undefined, 5_000)).toBe(true);
});

test.each([1, 2])(
  'node %i ends a session at the moment at which the image of the other one expires',
  async (node) => {
    const other = 3 - node;
    const images = [{ pcrs: pcrsOf('image'), notAfter: iso(START + 60_000) }];
    const judge = await nodes.open(node, { peers: [peerOf(other, { images })] });
    const judged = await nodes.open(other, { peers: [peerOf(node)] });
    judge.serve('echo', (_, body) => Promise.resolve(body));
    await nodes.time.pass(59_999);
    expect(judge.identity(other)).toBeDefined();
    // The call is on its way when the image expires.
    nodes.fate = (_from, _to, bytes) => [{ after: 10, bytes }];
    const call = judged.call(node, 'echo', new Uint8Array(1), { timeoutMs: 30_000 });
    call.catch(() => undefined);
    await nodes.time.pass(2);
    expect(judge.identity(other)).toBeUndefined();
    await nodes.time.pass(60_000);
    await expect(call).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    expect(judge.status()).toMatchObject([{ state: 'refused', code: 'PEER_IMAGE_EXPIRED' }]);
    expect(judged.status()).toMatchObject([
      { code: 'PEER_REFUSES_THIS_NODE', theirCode: 'PEER_IMAGE_EXPIRED' },
    ]);
  },
);

test.each([1, 2])(
  'node %i whose own datagrams come back under the name of another makes no session',
  async (node) => {
    const other = 3 - node;
    const one = await nodes.open(node, { peers: [peerOf(other)] });
    nodes.fate = (from, _to, bytes) => [{ after: 1, bytes, from: other, to: from }];
    await nodes.time.pass(60_000);
    expect(one.status()).toMatchObject([{ state: 'connecting', identity: null }]);
  },
);

test('what one node has sent to another is nothing to a third, whoever is said to have sent it', async () => {
  const one = await nodes.open(1, { peers: [peerOf(2), peerOf(3)] });
  const three = await nodes.open(3, { peers: [peerOf(1), peerOf(2)] });
  // Node 1's datagrams for node 2 go to node 3 as node 1's or node 2's, and the answers back as node 2's.
  nodes.fate = (from, to, bytes) => {
    if (from === 1 && to === 2) return [1, 2].map((claimed) => ({ after: 1, bytes, from: claimed, to: 3 }));
    if (from === 3) return [{ after: 1, bytes, from: 2, to: 1 }];
    return [];
  };
  await nodes.time.pass(120_000);
  expect([1, 2].map((node) => three.identity(node))).toEqual([undefined, undefined]);
  expect([2, 3].map((node) => one.identity(node))).toEqual([undefined, undefined]);
});

test.each([1, 2])('a session stands while strangers show documents in its name to node %i', async (node) => {
  const one = await nodes.open(node, { peers: [peerOf(3 - node)] });
  await nodes.open(3 - node, { peers: [peerOf(node)] });
  expect(await nodes.time.until(() => one.identity(3 - node) !== undefined, 5_000)).toBe(true);
  const { session } = one.identity(3 - node) ?? {};
  const stranger = await nodes.open(3 - node, { peers: [peerOf(node)], image: pcrsOf('other') });
  await nodes.time.pass(15_000);
  expect(one.status()).toMatchObject([{ state: 'connected', identity: { session } }]);
  expect(stranger.identity(node)).toBeUndefined();
});

test('an older configuration is accepted and shown', async () => {
  const one = await nodes.open(1, { peers: [peerOf(2)], version: 12 });
  await nodes.open(2, { peers: [peerOf(1)], version: 3 });
  await nodes.time.pass(2_000);
  expect(one.status()).toMatchObject([{ identity: { configuration: { version: 3 } } }]);
});

test('a flood of first messages costs a few attestations, and keeps no other node away', async () => {
  let attested = 0;
  const two = await nodes.open(2, {
    peers: [peerOf(1), peerOf(3)],
    attest: (fields, real) => {
      attested += 1;
      return real(fields);
    },
  });
  const flood = () => {
    for (let index = 0; index < 500; index += 1) {
      const id = Buffer.alloc(ID_BYTES);
      id.writeUInt32BE(index + nodes.time.now());
      nodes.deliver(1, 2, Buffer.concat([Buffer.of(2), id, Buffer.alloc(32, 9)]));
    }
  };
  for (let second = 0; second < 10; second += 1) {
    flood();
    await nodes.time.pass(1_000);
  }
  expect(attested).toBeGreaterThan(0);
  expect(attested).toBeLessThan(20);
  await nodes.open(3, { peers: [peerOf(1), peerOf(2)] });
  const cancel = setInterval(flood, 1);
  expect(await nodes.time.until(() => two.identity(3) !== undefined, 5_000)).toBe(true);
  clearInterval(cancel);
});

test('a flood of knocks costs one handshake in two seconds', async () => {
  let attested = 0;
  const one = await nodes.open(1, {
    peers: [peerOf(2)],
    attest: (fields, real) => {
      attested += 1;
      return real(fields);
    },
  });
  await nodes.open(2, { peers: [peerOf(1)] });
  await nodes.time.pass(1_000);
  expect(one.identity(2)).toBeDefined();
  for (let index = 0; index < 100; index += 1) {
    nodes.deliver(2, 1, Buffer.of(1));
    await nodes.time.pass(100);
  }
  expect(one.identity(2)).toBeDefined();
  expect(attested).toBeLessThan(8);
});
