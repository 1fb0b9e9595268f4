import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNode, dealShares, type NodeClient, sealShare } from '../../client/index.ts';
import { ETHEREUM_VECTOR, hashEthereumTransaction } from '../../local/demo/published-vectors.ts';
import { DEMO_SIGNATURES, signAndVerify } from '../../local/demo/signatures.ts';
import { CLIENT, Scenario } from '../../local/testbed/scenario.ts';
import type { StartedNode } from '../../local/testbed/index.ts';
import type { RecordSession, RecordStore } from '../../parent/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
});

afterAll(async () => {
  for (const each of open) await each.stop();
  await scenario.close();
});

/** On a host of its own: a host has one parent at a time. */
async function start(at: Scenario): Promise<StartedNode> {
  const node = await at.start({ host: await at.testbed.addHost() });
  open.push(node);
  if (node.code !== null) throw new Error(node.code);
  return node;
}

async function connect(at: Scenario, { url }: StartedNode): Promise<NodeClient> {
  const client = await connectNode({
    url,
    trust: { root: at.testbed.host.rootCertificate, pcrs: at.pcrs, manifest: at.testNode.manifestBytes },
    clientId: CLIENT,
    privateKey: at.testNode.client.privateKey,
  });
  open.push({ stop: () => Promise.resolve(client.close()) });
  return client;
}

describe('the published vectors of the demonstration', () => {
  it('hash to what their own signature was made over', () => {
    const privateKey = Buffer.from('8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63', 'hex');
    const { signature, recovery } = ETHEREUM_VECTOR;
    const recovered = secp256k1.Signature.fromBytes(signature)
      .addRecoveryBit(recovery)
      .recoverPublicKey(hashEthereumTransaction());
    expect(recovered.toBytes()).toEqual(secp256k1.getPublicKey(privateKey));
  });
});

describe('a node', () => {
  let node: StartedNode;
  let client: NodeClient;

  beforeAll(async () => {
    node = await start(scenario);
    client = await connect(scenario, node);
  });

  it.each(DEMO_SIGNATURES.map((signature) => [signature.title, signature] as const))(
    'signs %s',
    async (_, signature) => {
      expect(await signAndVerify(client, signature)).toBe(true);
    },
  );

  it('verifies no signature over another payload', async () => {
    const [ethereum] = DEMO_SIGNATURES;
    if (ethereum?.request.payload.kind !== 'digest') throw new TypeError('the first one signs a digest');
    const other = { ...ethereum.request, payload: { kind: 'digest', digest: '22'.repeat(32) } } as const;
    expect(ethereum.verify(await client.sign(other))).toBe(false);
  });

  it('names the rule and the configuration that a signature was made under', async () => {
    const [ethereum] = DEMO_SIGNATURES;
    if (ethereum === undefined) throw new TypeError('no signature');
    const { rule, configuration } = await client.sign(ethereum.request);
    expect([rule, configuration]).toEqual(['ethereum-digests', 1]);
  });

  it('has the same keys after a restart, and its client attests it anew by itself', async () => {
    const before = await client.keys();
    const { session } = (await client.attest()).binding;
    await node.stop();
    node = await start(scenario);
    const again = await connect(scenario, node);
    expect(await again.keys()).toEqual(before);
    expect((await again.attest()).binding.session).not.toBe(session);
    client = again;
  });

  it('gives a client that expects another image or manifest nothing to talk to', async () => {
    const trust = {
      root: scenario.testbed.host.rootCertificate,
      pcrs: scenario.pcrs,
      manifest: scenario.testNode.manifestBytes,
    };
    const options = { url: node.url, clientId: CLIENT, privateKey: scenario.testNode.client.privateKey };
    const otherPcrs = new Map([...scenario.pcrs, [0, new Uint8Array(48).fill(1)]]);
    await expect(connectNode({ ...options, trust: { ...trust, pcrs: otherPcrs } })).rejects.toMatchObject({
      code: 'PCR_MISMATCH',
    });
    const otherManifest = Buffer.concat([scenario.testNode.manifestBytes, Buffer.from(' ')]);
    await expect(
      connectNode({ ...options, trust: { ...trust, manifest: otherManifest } }),
    ).rejects.toMatchObject({
      code: 'PCR_MISMATCH',
    });
  });

  it('makes a key that a newer configuration names, and keeps those that it had', async () => {
    const before = await client.keys();
    await node.stop();
    const body = scenario.configuration(2);
    await scenario.testNode.configure({ ...body, keys: [...body.keys, { id: 'cosmos', type: 'secp256k1' }] });
    node = await start(scenario);
    client = await connect(scenario, node);
    const after = await client.keys();
    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)).toMatchObject({ id: 'cosmos', type: 'secp256k1' });
  });
});

describe('two enclaves on one store whose parent lets them', () => {
  it('the one that was there first finds at its next write that it was replaced, and ends', async () => {
    const place = await scenario.beside(5);
    await place.testNode.configure(shareConfiguration(place));
    const store = withoutOwner(place.store);
    const first = await place.start({ host: await place.testbed.addHost(), parent: { store } });
    const second = await place.start({ host: await place.testbed.addHost(), parent: { store } });
    open.push(first, second);
    expect(first.code).toBeNull();
    expect(second.code).toBeNull();
    const client = await connect(place, first);
    const { group, shares } = dealShares({ type: 'frost-ed25519', threshold: 3, participants: 5 });
    const share = shares[4];
    if (share === undefined) throw new TypeError('no share');
    await expect(
      client.importShare('treasury', (importKey, destination) =>
        sealShare(group, share, importKey, destination),
      ),
    ).rejects.toMatchObject({ code: 'STORE_TAKEN' });
    await expect(first.enclave.exited).resolves.toMatchObject({ code: 1 });
    await expect.poll(() => first.parent.node).toMatchObject({ phase: 'failed', code: 'STORE_TAKEN' });
  });
});

describe('three nodes with shares of one key', () => {
  it.each(['frost-ed25519', 'frost-secp256k1-taproot'] as const)('take them in, once: %s', async (type) => {
    const { group, shares } = dealShares({ type, threshold: 3, participants: 5 });
    for (const index of [2, 3, 4]) {
      const place = await restage(index);
      await place.testNode.configure(shareConfiguration(place, type));
      const node = await start(place);
      const client = await connect(place, node);
      const share = shares[index - 1];
      if (share === undefined) throw new TypeError('no share');
      const imported = await client.importShare('treasury', (importKey, destination) =>
        sealShare(group, share, importKey, destination),
      );
      expect(Buffer.from(imported.publicKey, 'hex')).toEqual(Buffer.from(group.commitments[0] ?? []));
      await expect(
        client.importShare('treasury', (importKey, destination) =>
          sealShare(group, share, importKey, destination),
        ),
      ).rejects.toMatchObject({ code: 'SHARE_EXISTS' });
    }
    for (const each of open.splice(0)) await each.stop();
  });
});

/** The same node in a testbed of its own, whose nodes have no share yet. */
async function restage(index: number): Promise<Scenario> {
  const folder = temporaryFolder();
  const place = await Scenario.open(folder, index);
  open.unshift({ stop: () => place.close() });
  return place;
}

function shareConfiguration(
  place: Scenario,
  type: 'frost-ed25519' | 'frost-secp256k1-taproot' = 'frost-ed25519',
): ReturnType<Scenario['configuration']> {
  return {
    ...place.configuration(1, 'initialise-1'),
    keys: [{ id: 'treasury', type }],
    rules: [
      {
        id: 'treasury',
        operations: ['sign', 'import-share'],
        clients: [CLIENT],
        keys: ['treasury'],
        algorithms: [type],
        payloads: [type === 'frost-ed25519' ? 'message' : 'digest'],
        rate: null,
      },
    ],
  };
}

/** A store that lets anybody in, at once: what a parent can do that lies about who owns it. */
function withoutOwner(store: RecordStore): RecordStore {
  let session: Promise<RecordSession> | undefined;
  return {
    open: async () => {
      session ??= store.open();
      return { ...(await session), close: () => Promise.resolve() };
    },
  };
}
