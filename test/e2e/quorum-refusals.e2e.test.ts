import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyTranscript } from '../../audit/transcript/index.ts';
import { connectQuorum, type QuorumClient } from '../../client/index.ts';
import { copyProgram, type Program } from '../../local/nitro-host/index.ts';
import { loadApprovers } from '../../local/testbed/decision-configuration.ts';
import { openTestbed, type Testbed } from '../../local/testbed/index.ts';
import { localConfiguration } from '../../local/testbed/local-configuration.ts';
import { CLIENT } from '../../local/testbed/scenario.ts';
import { TestQuorum } from '../../local/testbed/test-quorum.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { errorCode } from '../../shared/errors.ts';
import { nobleSuites } from '../../shared/frost/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const KEY = 'treasury';
const SIGN = { key: KEY, algorithm: 'frost-ed25519', payload: { kind: 'message', message: '00' } } as const;

let program: Program;
let testbed: Testbed;
let quorum: TestQuorum;
const clients: QuorumClient[] = [];

/** A client of one node alone. */
async function connect(node: number): Promise<QuorumClient> {
  const { testNode } = quorum.member(node);
  const client = await connectQuorum({
    nodes: [
      {
        url: quorum.running.get(node)?.url ?? '',
        trust: {
          root: testbed.host.rootCertificate,
          pcrs: await testbed.host.measure(program.folder),
          manifest: testNode.manifestBytes,
        },
        clientId: CLIENT,
        privateKey: testNode.client.privateKey,
        timeoutMs: 30_000,
      },
    ],
  });
  clients.push(client);
  return client;
}

async function waitForPeers(client: QuorumClient, count: number): Promise<void> {
  await expect
    .poll(async () => (await client.status()).peers.filter(({ state }) => state === 'connected').length)
    .toBe(count);
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'DONE',
    (error: unknown) => errorCode(error),
  );

beforeAll(async () => {
  program = await copyProgram();
  testbed = await openTestbed({ stateDirectory: temporaryFolder() });
  quorum = await TestQuorum.open(testbed, { size: 3, threshold: 2, program: program.folder });
  const pcrs = await testbed.host.measure(program.folder);
  const approvers = await loadApprovers(join(testbed.stateDirectory, 'approvers'));
  for (const { node, testNode } of quorum.members) {
    await testNode.allow(pcrs, { initialise: true });
    const others = quorum.members
      .filter((each) => each.node !== node)
      .map((each) => ({ node: each.node, manifestBytes: each.testNode.manifestBytes }));
    const body = localConfiguration({ member: testNode, others, pcrs, clientId: CLIENT, approvers });
    // Node 3 permits no reshare: its admin has said no.
    const rules = body.rules.map((rule) =>
      node === 3 && rule.id === 'treasury-ceremonies'
        ? { ...rule, operations: rule.operations.filter((operation) => operation !== 'reshare') }
        : rule,
    );
    await testNode.configure({ ...body, rules });
  }
  await quorum.startAll();
});

afterAll(async () => {
  for (const client of clients) client.close();
  await quorum.stopAll();
  await testbed.close();
  await program.remove();
});

describe('a quorum of three nodes', () => {
  it('signs with no key that was not generated, and refreshes none', async () => {
    const client = await connect(1);
    await waitForPeers(client, 2);
    expect(await codeOf(client.sign(SIGN))).toBe('SHARE_MISSING');
    expect(await codeOf(client.refresh(KEY))).toBe('CEREMONY_KEY_STATE');
  });

  it('generates a key once, however many ask at once', async () => {
    const nodes = await Promise.all([connect(1), connect(2)]);
    for (const client of nodes) await waitForPeers(client, 2);
    const ends = await Promise.all(
      nodes.map(
        async (client) => await codeOf(client.generate(KEY).then(({ ceremony }) => client.waitFor(ceremony))),
      ),
    );
    const [first] = nodes;
    if (!ends.includes('DONE')) {
      // Each has had the key in its hands, and given it up for the other.
      const begun = await first.generate(KEY);
      await first.waitFor(begun.ceremony);
    }
    expect(ends.filter((end) => end === 'DONE').length).toBeLessThan(2);
    expect(await codeOf(first.generate(KEY))).toBe('CEREMONY_KEY_STATE');
    const held = await Promise.all(nodes.map(async (client) => (await client.status()).keys[0]));
    expect(held[0]?.publicKey).toBe(held[1]?.publicKey);
    expect(await codeOf(first.sign(SIGN))).toBe('DONE');
  });

  it('keeps a transcript that verifies offline with its images and manifests, and no others', async () => {
    const transcript = await (await connect(2)).transcript(KEY, 1);
    const pcrs = await testbed.host.measure(program.folder);
    const other = new Map([...pcrs, [0, new Uint8Array(48).fill(9)]] as const);
    const manifests = quorum.members.map(({ testNode }) =>
      Buffer.from(digestManifest(testNode.manifestBytes)).toString('hex'),
    );
    const trust = {
      root: testbed.host.rootCertificate,
      images: [other, pcrs],
      manifests,
      suites: nobleSuites,
    };
    const { plan } = verifyTranscript(transcript, trust);
    expect(plan).toMatchObject({ operation: 'generate', holders: [1, 2, 3], threshold: 2 });
    const codeWith = (changed: Partial<typeof trust>) => {
      try {
        verifyTranscript(transcript, { ...trust, ...changed });
        return 'VERIFIED';
      } catch (error) {
        return errorCode(error);
      }
    };
    expect(codeWith({ images: [other] })).toBe('CEREMONY_DOCUMENT_WRONG');
    expect(codeWith({ manifests: manifests.slice(1) })).toBe('CEREMONY_DOCUMENT_WRONG');
  });

  it('hands nothing on where one node does not permit it', async () => {
    const client = await connect(1);
    const ended = client
      .reshare(KEY, { participants: [1, 2, 3], threshold: 3 })
      .then(({ ceremony }) => client.waitFor(ceremony));
    await expect(ended).rejects.toMatchObject({
      code: 'CEREMONY_FAILED',
      details: { code: 'CEREMONY_REFUSED', nodes: [3], refusal: 'POLICY_DENIED' },
    });
    expect((await client.status()).keys[0]?.share).toMatchObject({ epoch: 1, threshold: 2 });
  });

  it('hands nothing to a node that it does not know, nor below its threshold', async () => {
    const client = await connect(1);
    const end = (order: { participants: number[]; threshold: number }) =>
      codeOf(client.reshare(KEY, order).then(({ ceremony }) => client.waitFor(ceremony)));
    expect(await end({ participants: [1, 2, 9], threshold: 2 })).not.toBe('DONE');
    expect(await end({ participants: [1, 2, 3], threshold: 4 })).toBe('REQUEST_MALFORMED');
  });

  it(
    'keeps the old epoch or has the new one when a node is killed in a refresh',
    { timeout: 180_000 },
    async () => {
      const client = await connect(1);
      const before = (await client.status()).keys[0];
      const { ceremony } = await client.refresh(KEY);
      await quorum.stop(3);
      const end = await codeOf(client.waitFor(ceremony));
      expect(['DONE', 'CEREMONY_FAILED']).toContain(end);
      expect(await codeOf(client.sign(SIGN))).toBe('DONE');
      await quorum.start(3);
      const third = await connect(3);
      await waitForPeers(third, 2);
      await waitForPeers(client, 2);
      const epoch = async (asked: QuorumClient) => (await asked.status()).keys[0]?.share?.epoch;
      await expect.poll(async () => (await epoch(third)) === (await epoch(client))).toBe(true);
      expect((await client.status()).keys[0]?.publicKey).toBe(before?.publicKey);
      expect(await codeOf(third.sign(SIGN))).toBe('DONE');
    },
  );

  it('signs nothing below its threshold', async () => {
    const client = await connect(1);
    await quorum.stop(2);
    await quorum.stop(3);
    expect(['QUORUM_BELOW_THRESHOLD', 'QUORUM_UNREACHABLE']).toContain(await codeOf(client.sign(SIGN)));
  });
});
