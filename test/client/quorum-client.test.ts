import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { AttestationError } from '../../attestation/index.ts';
import {
  ClientError,
  connectNode,
  connectQuorum,
  type NodeClientOptions,
  NodeRefusal,
  type QuorumClient,
  type QuorumClientOptions,
  sealKey,
} from '../../client/index.ts';
import { openWith } from '../../shared/hpke/index.ts';
import { importKeyRequestSchema } from '../../shared/api/quorum.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import {
  backend,
  type FakeNode,
  MANIFEST,
  type NodeBehaviour,
  PCRS,
  startFakeNode,
  trust,
} from './fake-node.ts';
import { createFakeQuorum } from './fake-quorum.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(behaviour: NodeBehaviour = {}): Promise<FakeNode> {
  const node = await startFakeNode(behaviour);
  cleanups.push(() => node.close());
  return node;
}

const optionsOf = ({ url }: Pick<FakeNode, 'url'>, change: Partial<NodeClientOptions> = {}) => ({
  url,
  trust: trust(),
  clientId: 'backend',
  privateKey: backend.privateKey,
  ...change,
});

async function connect(
  nodes: readonly Pick<FakeNode, 'url'>[],
  change: Partial<NodeClientOptions> = {},
  more: Partial<QuorumClientOptions> = {},
): Promise<QuorumClient> {
  const quorum = await connectQuorum({ nodes: nodes.map((node) => optionsOf(node, change)), ...more });
  cleanups.push(() => quorum.close());
  return quorum;
}

const REQUEST = {
  key: 'treasury',
  algorithm: 'frost-ed25519',
  payload: { kind: 'message', message: '00' },
} as const;
const SIGNED = {
  signature: '00'.repeat(64),
  publicKey: 'ab'.repeat(32),
  rule: 'any',
  configuration: 1,
};
/** Address at which nothing listens: port 1 of loopback. */
const DEAD = { url: 'https://127.0.0.1:1' };

/** Behaviour of a node that refuses every signed request with a code. */
function refusing(status: number, code: string): NodeBehaviour {
  return {
    answer: ({ url }, response) => {
      if (url === '/v1/attestation') return undefined;
      const text = JSON.stringify({ error: code });
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
      response.end(text);
      return true;
    },
  };
}

/** Behaviour of a node that takes requests and ends the connection instead of responding. */
const SILENT: NodeBehaviour = {
  answer: ({ url }, response) => {
    if (url === '/v1/attestation') return undefined;
    response.destroy();
    return true;
  },
};
const signedRequests = ({ requests }: FakeNode) => requests.filter((each) => !each.includes('attestation'));

describe('the quorum by one node', () => {
  async function start3(behaviour: NodeBehaviour) {
    const node = await start(behaviour);
    const client = await connectNode(optionsOf(node));
    cleanups.push(() => client.close());
    return client;
  }

  it('begins each ceremony by its body, and follows its progress to the end', async () => {
    const { serve, orders } = createFakeQuorum();
    const { quorum } = await start3({ serve });
    await quorum.refresh('treasury');
    await quorum.reshare('treasury', { participants: [1, 2], threshold: 2 });
    await quorum.repair('treasury', 3);
    const { ceremony, rule } = await quorum.generate('treasury');
    expect(rule).toBe('ceremonies');
    const told: string[] = [];
    const done = await quorum.waitFor(ceremony, { onProgress: ({ step }) => told.push(step) });
    expect(done).toMatchObject({ state: 'done', epoch: 1, publicKey: 'ab'.repeat(32) });
    expect(told).toEqual(['commit', 'deal', 'confirm', 'activate', 'activate']);
    expect(orders).toEqual([
      { target: '/v1/quorum/keys/treasury/refresh', body: {} },
      { target: '/v1/quorum/keys/treasury/reshare', body: { participants: [1, 2], threshold: 2 } },
      { target: '/v1/quorum/keys/treasury/repair', body: { node: 3 } },
      { target: '/v1/quorum/keys', body: { key: 'treasury' } },
    ]);
  });

  it('takes what was begun from a response with status 202', async () => {
    const { serve } = createFakeQuorum();
    const { quorum } = await start3({
      answer: ({ url }, response) => {
        if (url !== '/v1/quorum/keys') return undefined;
        const begun = serve(url, Buffer.from('{"key":"treasury"}'), {} as FakeNode);
        const text = JSON.stringify(begun);
        response.writeHead(202, { 'content-type': 'application/json', 'content-length': text.length });
        response.end(text);
        return true;
      },
    });
    expect((await quorum.generate('treasury')).ceremony).toMatchObject({ kind: 'generate' });
  });

  it('ends with the code and the nodes of a ceremony that has failed', async () => {
    const { quorum } = await start3({ serve: createFakeQuorum({ fails: 'SHARE_INVALID' }).serve });
    const { ceremony } = await quorum.refresh('treasury');
    const failed = quorum.waitFor(ceremony);
    await expect(failed).rejects.toThrow(ClientError);
    await expect(failed).rejects.toMatchObject({
      code: 'CEREMONY_FAILED',
      details: { code: 'SHARE_INVALID', nodes: [3], kind: 'refresh', key: 'treasury' },
    });
  });

  it('stops waiting at once when it is told to', async () => {
    const { serve } = createFakeQuorum();
    const { quorum } = await start3({ serve });
    const { ceremony } = await quorum.refresh('treasury');
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = quorum.waitFor(ceremony, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(waiting).rejects.toBe(reason);
  });

  it('reads status, ceremonies and transcripts', async () => {
    const { quorum } = await start3({ serve: createFakeQuorum().serve });
    expect(await quorum.ceremonies()).toEqual([]);
    expect(await quorum.status()).toMatchObject({ node: 1, keys: [{ id: 'treasury' }] });
    expect(Buffer.from(await quorum.transcript('treasury', 1)).toString()).toBe('transcript');
  });

  it.each(['c0', 'C0'.repeat(16), `${'c0'.repeat(16)}/..`])(
    'takes no id of a ceremony like %s',
    async (id) => {
      const { quorum } = await start3({});
      await expect(quorum.ceremony(id)).rejects.toThrow(TypeError);
    },
  );

  it('refuses a response that is no ceremony', async () => {
    const { quorum } = await start3({ serve: () => ({ ceremony: {}, rule: 'any', configuration: 1 }) });
    await expect(quorum.refresh('treasury')).rejects.toMatchObject({ code: 'ANSWER_MALFORMED' });
  });

  it('seals a key for one node, boot, key and public key', async () => {
    const secret = new Uint8Array(32).fill(1);
    const publicKey = Buffer.from(
      '031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f',
      'hex',
    );
    const type = 'frost-secp256k1-taproot';
    const { serve, orders } = createFakeQuorum();
    const node = await start({ serve });
    const client = await connectNode(optionsOf(node));
    cleanups.push(() => client.close());
    await client.quorum.importKey('treasury', (importKey, destination) =>
      sealKey(secret, { type, publicKey }, importKey, destination),
    );
    const { encapsulatedKey, ciphertext } = importKeyRequestSchema.parse(orders[0]?.body);
    const sealed = {
      encapsulatedKey: Buffer.from(encapsulatedKey, 'hex'),
      ciphertext: Buffer.from(ciphertext, 'hex'),
    };
    // Written out here, so that the encoding is held by something else than itself.
    const info = Buffer.concat([
      Buffer.from('holdfast-key-import/1\0'),
      digestManifest(MANIFEST),
      Buffer.from(node.session, 'hex'),
      Buffer.from('treasury'),
    ]);
    const aad = Buffer.concat([Buffer.from(`holdfast-imported-key/1\0${type}\0`), publicKey]);
    expect(openWith(node.importKey.privateKey, sealed, { info, aad })).toEqual(secret);
    expect(() =>
      sealKey(secret.subarray(1), { type, publicKey }, node.importKey.publicKey, {
        manifest: digestManifest(MANIFEST),
        session: node.session,
        key: 'treasury',
      }),
    ).toThrow(RangeError);
  });
});

describe('the quorum by any of its nodes', () => {
  it('passes over a dead node, and says so', async () => {
    const node = await start({ serve: () => SIGNED });
    const passed: string[] = [];
    const quorum = await connect(
      [DEAD, node],
      {},
      {
        onPassedOver: (url, error) => passed.push(`${url} ${(error as ClientError).code}`),
      },
    );
    expect(passed).toEqual([`${DEAD.url} NODE_UNREACHABLE`]);
    expect(await quorum.sign(REQUEST)).toMatchObject({ signature: SIGNED.signature });
    // The dead node is not tried again at once.
    expect(passed).toHaveLength(1);
  });

  it('tries a node again after a while', async () => {
    const node = await start({ serve: () => SIGNED });
    let now = Date.now();
    let passed = 0;
    const quorum = await connect([DEAD, node], {}, { clock: () => now, onPassedOver: () => (passed += 1) });
    await quorum.sign(REQUEST);
    expect(passed).toBe(1);
    now += 6_000;
    await quorum.sign(REQUEST);
    expect(passed).toBe(2);
  });

  it('asks another node when one dies between two requests', async () => {
    const [first, second] = [await start({ serve: () => SIGNED }), await start({ serve: () => SIGNED })];
    const quorum = await connect([first, second]);
    await quorum.sign(REQUEST);
    await first.close();
    // The client has to notice that its idle connection has ended; a request on it could be lost.
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(await quorum.sign(REQUEST)).toMatchObject({ signature: SIGNED.signature });
    expect(signedRequests(second)).toEqual(['POST /v1/sign']);
  });

  it.each(['STOPPING', 'OVERLOADED', 'REPLAY_CACHE_FULL'])(
    'asks another node when one refuses with %s, before it decides',
    async (code) => {
      const [first, second] = [await start(refusing(503, code)), await start({ serve: () => SIGNED })];
      const quorum = await connect([first, second]);
      expect(await quorum.sign(REQUEST)).toMatchObject({ signature: SIGNED.signature });
    },
  );

  it.each(['POLICY_DENIED', 'RATE_LIMITED', 'LIMIT_EXCEEDED', 'SIGNATURE_REPLAYED', 'LOG_NOT_COSIGNED'])(
    'asks no other node when one has refused with %s',
    async (code) => {
      const [first, second] = [await start(refusing(403, code)), await start({ serve: () => SIGNED })];
      const quorum = await connect([first, second]);
      const refused = quorum.sign(REQUEST);
      await expect(refused).rejects.toThrow(NodeRefusal);
      await expect(refused).rejects.toMatchObject({ code });
      expect(signedRequests(second)).toEqual([]);
    },
  );

  it('never sends a request to a second node when the response of the first was lost', async () => {
    const [first, second] = [await start(SILENT), await start({ serve: () => SIGNED })];
    const quorum = await connect([first, second]);
    await expect(quorum.sign(REQUEST)).rejects.toMatchObject({ code: 'ANSWER_LOST' });
    await expect(quorum.refresh('treasury')).rejects.toMatchObject({ code: 'ANSWER_LOST' });
    expect(signedRequests(second)).toEqual([]);
  });

  it('sends what only reads to a second node when the response of the first was lost', async () => {
    const [first, second] = [await start(SILENT), await start({ serve: () => ({ keys: [] }) })];
    const quorum = await connect([first, second]);
    expect(await quorum.keys()).toEqual([]);
  });

  it('passes over a node that is not what it should be', async () => {
    const other = new Map([...PCRS, [0, new Uint8Array(48).fill(9)]]);
    const [first, second] = [await start({ pcrs: other }), await start({ serve: () => SIGNED })];
    const errors: Error[] = [];
    const quorum = await connect([first, second], {}, { onPassedOver: (_, error) => errors.push(error) });
    expect(await quorum.sign(REQUEST)).toMatchObject({ signature: SIGNED.signature });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(AttestationError);
    expect(signedRequests(first)).toEqual([]);
  });

  it('says of each node why it does not serve where none does', async () => {
    const refused = await start(refusing(503, 'STOPPING'));
    await expect(connect([DEAD])).rejects.toMatchObject({
      code: 'NODES_UNREACHABLE',
      details: { nodes: { [DEAD.url]: 'NODE_UNREACHABLE' } },
    });
    const quorum = await connect([DEAD, refused]);
    await expect(quorum.sign(REQUEST)).rejects.toMatchObject({
      code: 'NODES_UNREACHABLE',
      details: { nodes: { [DEAD.url]: 'NODE_UNREACHABLE', [refused.url]: 'STOPPING' } },
    });
  });

  it('waits for a ceremony by the node that leads it', async () => {
    const unknown = refusing(404, 'CEREMONY_NOT_FOUND');
    const leading = createFakeQuorum();
    const [first, second] = [await start(unknown), await start({ serve: leading.serve })];
    const quorum = await connect([second, first]);
    const { ceremony } = await quorum.generate('treasury');
    expect(await quorum.waitFor(ceremony)).toMatchObject({ state: 'done' });
    expect(signedRequests(first)).toEqual([]);
    // Somebody who has only the id asks each node.
    const another = await connect([first, second]);
    expect(await another.waitFor({ id: ceremony.id })).toMatchObject({ state: 'done' });
    await expect((await connect([first])).waitFor(ceremony)).rejects.toMatchObject({
      code: 'CEREMONY_NOT_FOUND',
    });
  });

  it('resumes a request at the node that keeps it', async () => {
    const id = '0f'.repeat(16);
    const [first, second] = [
      await start(refusing(404, 'REQUEST_UNKNOWN')),
      await start({ serve: (target) => (target === `/v1/requests/${id}` ? SIGNED : {}) }),
    ];
    const quorum = await connect([first, second]);
    expect(await quorum.resume(id)).toMatchObject({ signature: SIGNED.signature });
    await expect((await connect([first])).resume(id)).rejects.toMatchObject({ code: 'REQUEST_UNKNOWN' });
  });

  it('takes a mistake of its caller for what it is', async () => {
    await expect(connectQuorum({ nodes: [] })).rejects.toThrow(TypeError);
    const node = await start();
    const quorum = await connect([node]);
    await expect(quorum.sign({ ...REQUEST, payload: { kind: 'message', message: '0x00' } })).rejects.toThrow(
      TypeError,
    );
  });
});
