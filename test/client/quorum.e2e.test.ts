import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyProgram, type NitroHost, type Program } from '../../local/nitro-host/index.ts';
import {
  connectNode,
  type DealtGroup,
  dealShares,
  type NodeClient,
  NodeRefusal,
  sealShare,
} from '../../client/index.ts';
import {
  openTestNode,
  openTestbed,
  runNode,
  type TestNode,
  type StartedNode,
  type Testbed,
} from '../../local/testbed/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const QUORUM = { size: 3, threshold: 2 };
const CLIENT = 'backend';
const request = {
  key: 'solana',
  algorithm: 'frost-ed25519',
  payload: { kind: 'message', message: Buffer.from('a transfer').toString('hex') },
} as const;

/** One node on a host of its own, as each policy node has its own account. */
interface Member {
  readonly host: NitroHost;
  readonly testNode: TestNode;
  readonly node: StartedNode;
  readonly client: NodeClient;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(NodeRefusal);
    return (error as NodeRefusal).code;
  }
  return 'none';
}

describe('three nodes of a quorum', () => {
  let directory: string;
  let testbed: Testbed;
  let program: Program;
  let pcrs: ReadonlyMap<number, Uint8Array>;
  const members: Member[] = [];
  const solana: DealtGroup = dealShares({ type: 'frost-ed25519', threshold: 2, participants: 3 });
  const bitcoin: DealtGroup = dealShares({ type: 'frost-secp256k1-taproot', threshold: 2, participants: 3 });
  const publicKeyOf = ({ group }: DealtGroup) => Buffer.from(group.commitments[0] ?? []).toString('hex');

  async function start(host: NitroHost, testNode: TestNode): Promise<Member> {
    const node = await runNode(testbed, testNode, { host, launch: { program: program.folder } });
    expect(node).toMatchObject({ phase: 'serving' });
    const client = await connectNode({
      url: node.url,
      trust: { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes },
      clientId: CLIENT,
      privateKey: testNode.client.privateKey,
    });
    return { host, testNode, node, client };
  }

  const importShare = ({ client }: Member, key: string, dealt: DealtGroup, participant: number) => {
    const share = dealt.shares[participant - 1];
    if (share === undefined) throw new RangeError('no such share');
    return client.importShare(key, (importKey, destination) =>
      sealShare(dealt.group, share, importKey, destination),
    );
  };

  beforeAll(async () => {
    directory = temporaryFolder();
    testbed = await openTestbed({ stateDirectory: directory });
    program = await copyProgram();
    pcrs = await testbed.host.measure(program.folder);
    for (let index = 1; index <= QUORUM.size; index += 1) {
      const testNode = await openTestNode(testbed, { node: index, quorum: QUORUM });
      await testNode.allow(pcrs, { initialise: true });
      await testNode.configure({
        version: 1,
        initialise: {
          id: 'first',
          notAfter: new Date(Date.now() + 3_600_000).toISOString(),
          password: 'generated',
        },
        clients: [{ id: CLIENT, publicKey: testNode.client.publicKey }],
        keys: [
          { id: 'solana', type: 'frost-ed25519', publicKey: publicKeyOf(solana) },
          { id: 'bitcoin', type: 'frost-secp256k1-taproot' },
          { id: 'spare', type: 'frost-ed25519' },
          { id: 'hot', type: 'ed25519' },
        ],
        rules: [
          {
            id: 'shares',
            operations: ['sign', 'import-share'],
            clients: [CLIENT],
            keys: ['solana', 'bitcoin', 'spare'],
            algorithms: ['frost-ed25519', 'frost-secp256k1-taproot'],
            payloads: ['message', 'taproot-sighash'],
            rate: null,
          },
        ],
      });
      members.push(await start(await testbed.addHost(), testNode));
    }
  });

  afterAll(async () => {
    for (const { client, node } of members) {
      client.close();
      await node.stop();
    }
    await testbed?.close();
    await program?.remove();
  });

  const member = (index: number): Member => {
    const found = members[index];
    if (found === undefined) throw new RangeError('no such node');
    return found;
  };

  it('take no share that was sealed for another of them', async () => {
    const [share] = solana.shares;
    if (share === undefined) throw new RangeError('no such share');
    const { binding } = await member(1).client.attest();
    const stolen = member(0).client.importShare('solana', (_importKey, destination) =>
      sealShare(solana.group, share, Buffer.from(binding.importKey, 'hex'), destination),
    );
    expect(await refusal(stolen)).toBe('SHARE_UNREADABLE');
  });

  it('take one share of those that come at once', async () => {
    const rivals = Array.from({ length: 4 }, () =>
      dealShares({ type: 'frost-ed25519', threshold: 2, participants: 3 }),
    );
    const codes = await Promise.all(
      rivals.map((dealt) => refusal(importShare(member(0), 'spare', dealt, 1))),
    );
    expect(codes.toSorted()).toEqual(['SHARE_EXISTS', 'SHARE_EXISTS', 'SHARE_EXISTS', 'none']);
    const { publicKey } = (await member(0).client.keys()).find(({ id }) => id === 'spare') ?? {};
    expect(publicKey).toBe(publicKeyOf(rivals[codes.indexOf('none')] ?? solana));
  });

  it('take their shares in, each its own and once', async () => {
    expect(await refusal(member(0).client.sign(request))).toBe('SHARE_MISSING');
    expect(await refusal(importShare(member(0), 'solana', solana, 2))).toBe('SHARE_MISMATCH');
    const other = dealShares({ type: 'frost-ed25519', threshold: 2, participants: 3 });
    expect(await refusal(importShare(member(0), 'solana', other, 1))).toBe('SHARE_MISMATCH');
    expect(await refusal(importShare(member(0), 'hot', solana, 1))).toBe('ALGORITHM_MISMATCH');
    for (const [index, each] of members.entries()) {
      expect(await importShare(each, 'solana', solana, index + 1)).toMatchObject({
        publicKey: publicKeyOf(solana),
        rule: 'shares',
      });
      await importShare(each, 'bitcoin', bitcoin, index + 1);
    }
    expect(await refusal(importShare(member(0), 'bitcoin', bitcoin, 1))).toBe('SHARE_EXISTS');
    expect(await refusal(member(0).client.sign(request))).toBe('QUORUM_UNREACHABLE');
    expect(await member(2).client.keys()).toEqual(
      expect.arrayContaining([
        { id: 'solana', type: 'frost-ed25519', publicKey: publicKeyOf(solana) },
        { id: 'bitcoin', type: 'frost-secp256k1-taproot', publicKey: publicKeyOf(bitcoin) },
      ]),
    );
  });
});
