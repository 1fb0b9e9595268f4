import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assertAllRun,
  findOverlapState,
  imageOf,
  type ImageName,
  type KeyPolicyOfNode,
  type NodeReport,
  orderNodes,
  renderOverlapPolicy,
  renderSinglePolicy,
  rollBack,
  rollOut,
  type UpgradeImages,
  type UpgradeJournal,
  type UpgradePorts,
  type UpgradeStop,
} from '../../../admin/upgrade/index.ts';
import { connectQuorum, type QuorumClient } from '../../../client/index.ts';
import { copyProgram, type Program } from '../../../local/nitro-host/index.ts';
import { loadApprovers } from '../../../local/testbed/decision-configuration.ts';
import { openTestbed, type Testbed } from '../../../local/testbed/index.ts';
import { localConfiguration } from '../../../local/testbed/local-configuration.ts';
import { makeQuorumMember } from '../../../local/testbed/quorum-configuration.ts';
import { CLIENT, DEMO_KEYS } from '../../../local/testbed/scenario.ts';
import { TestQuorum } from '../../../local/testbed/test-quorum.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../../shared/documents/encryption-context.ts';
import { errorCode } from '../../../shared/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = 'treasury';
const SIGN = { key: KEY, algorithm: 'frost-ed25519', payload: { kind: 'message', message: '00' } } as const;
const NODES = [1, 2, 3];
const THRESHOLD = 2;
const UNTIL = Date.now() + 7 * 86_400_000;
const plan = { threshold: THRESHOLD, order: orderNodes(NODES, 2), until: () => UNTIL, isGated: () => true };

let testbed: Testbed;
let quorum: TestQuorum;
let programs: Readonly<Record<ImageName, Program>>;
let images: UpgradeImages;
/** Starts that the host was asked for, in their order: `2 new`. */
const deployed: string[] = [];

function keyOf(node: number): KeyPolicyOfNode {
  const { testNode } = quorum.member(node);
  return {
    nodeRole: testNode.infrastructure.parentRole,
    admins: [testNode.admin.role],
    encryptionContext: encryptionContext(testNode.manifest, PASSWORD_SECRET),
    pcr16: testNode.manifestPcr,
  };
}

async function putPolicy(node: number, policy: string): Promise<void> {
  const { admin, keyArn } = quorum.member(node).testNode;
  await admin.kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy: policy }));
}

async function withNode<T>(node: number, act: (client: QuorumClient) => Promise<T>): Promise<T> {
  const { testNode } = quorum.member(node);
  const client = await connectQuorum({
    nodes: [
      {
        url: quorum.running.get(node)?.url ?? 'https://127.0.0.1:1',
        trust: {
          root: testbed.host.rootCertificate,
          pcrs: [images.new, images.old],
          manifest: testNode.manifestBytes,
        },
        clientId: CLIENT,
        privateKey: testNode.client.privateKey,
        timeoutMs: 60_000,
      },
    ],
  });
  try {
    return await act(client);
  } finally {
    client.close();
  }
}

/** Looks at a node as a client does: whom it attests to be, whether it has its share, and whom it reaches. */
async function look(node: number): Promise<NodeReport> {
  try {
    return await withNode(node, async (client) => {
      const { peers, keys } = await client.status();
      const connected = peers.filter(({ state }) => state === 'connected').length;
      const running = quorum.running.get(node);
      const { attestNode } = await import('../../../client/index.ts');
      const { document } = await attestNode({
        url: running?.url ?? '',
        trust: {
          root: testbed.host.rootCertificate,
          pcrs: [images.new, images.old],
          manifest: quorum.member(node).testNode.manifestBytes,
        },
      });
      return {
        node,
        image: imageOf(document.pcrs, images) ?? null,
        canSign:
          connected >= THRESHOLD - 1 && keys.some(({ id, publicKey }) => id === KEY && publicKey !== null),
        code: null,
      };
    });
  } catch (error) {
    return { node, image: null, canSign: false, code: errorCode(error) };
  }
}

/** Has the quorum sign; what has just started may need a moment until its peers are connected. */
async function sign(node: number): Promise<string | null> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const code = await withNode(node, async (client) => await client.sign(SIGN)).then(
      () => null,
      (error: unknown) => errorCode(error),
    );
    if (code === null || Date.now() > deadline) return code;
    await sleep(200);
  }
}

const ports: UpgradePorts = {
  look: async () => await Promise.all(NODES.map(look)),
  async deploy(node, image) {
    deployed.push(`${node} ${image}`);
    await quorum.stop(node);
    const { code } = await quorum.start(node, { launch: { program: programs[image].folder } });
    if (code !== null) await quorum.stop(node);
    return code;
  },
  sign,
  clock: Date.now,
};

function makeJournal(): UpgradeJournal & { stop: UpgradeStop | null } {
  const journal = {
    stop: null as UpgradeStop | null,
    stopped: () => journal.stop,
    setStopped: (stop: UpgradeStop | null) => {
      journal.stop = stop;
      return Promise.resolve();
    },
  };
  return journal;
}

const imagesNow = async () => (await ports.look()).map(({ image }) => image);
/** Waits for what happens by itself, until the test's own time-out. */
async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(100);
}
const settled = async () => await waitUntil(async () => (await ports.look()).every(({ canSign }) => canSign));

beforeAll(async () => {
  const changed = async (folder: string) => {
    const main = join(folder, 'enclave/main.ts');
    await writeFile(main, `${await readFile(main, 'utf8')}// The next release.\n`);
  };
  programs = { old: await copyProgram(), new: await copyProgram(changed) };
  testbed = await openTestbed({ stateDirectory: temporaryFolder() });
  quorum = await TestQuorum.open(testbed, { size: 3, threshold: THRESHOLD, program: programs.old.folder });
  images = {
    old: await testbed.host.measure(programs.old.folder),
    new: await testbed.host.measure(programs.new.folder),
  };
  const approvers = await loadApprovers(join(testbed.stateDirectory, 'approvers'));
  for (const { node, testNode } of quorum.members) {
    await testNode.allow(images.old, { initialise: true });
    const others = quorum.members
      .filter((each) => each.node !== node)
      .map((each) => ({ node: each.node, manifestBytes: each.testNode.manifestBytes }));
    const body = localConfiguration({
      member: testNode,
      others,
      pcrs: images.old,
      clientId: CLIENT,
      approvers,
    });
    const notAfter = `${new Date(UNTIL).toISOString().slice(0, 19)}Z`;
    const accepted = [
      { pcrs: images.new, notAfter: null },
      { pcrs: images.old, notAfter },
    ];
    await testNode.configure({
      ...body,
      quorum: makeQuorumMember(
        others,
        accepted,
        DEMO_KEYS.map(({ id }) => id),
      ),
    });
  }
  for (const node of NODES) await quorum.start(node);
  // Every node reaches every other one, not only the first one all: whoever cannot refuses the ceremony.
  await waitUntil(async () => {
    const found = await Promise.all(
      NODES.map(async (node) => await withNode(node, async (client) => await client.status())),
    );
    return found.every(({ peers }) => peers.every(({ state }) => state === 'connected'));
  });
  await withNode(1, async (client) => await client.waitFor((await client.generate(KEY)).ceremony));
  await settled();
});

afterAll(async () => {
  await quorum.stopAll();
  await testbed.close();
  await programs.old.remove();
  await programs.new.remove();
});

describe('an upgrade of a quorum of 2 of 3', () => {
  it('stops at a canary that KMS does not admit, touches nothing further, and rolls back', async () => {
    const journal = makeJournal();
    expect(await rollOut(plan, ports, journal).catch((error: unknown) => error)).toMatchObject({
      code: 'UPGRADE_NODE_NOT_SERVING',
      details: { node: 2, reason: 'KMS_ACCESS_DENIED' },
    });
    expect(deployed).toEqual(['2 new']);
    expect(await imagesNow()).toEqual(['old', null, 'old']);
    expect(await sign(1)).toBeNull();
    // Whoever tries again without a decision is told the code, and nothing is touched.
    await expect(rollOut(plan, ports, journal)).rejects.toMatchObject({
      code: 'UPGRADE_STOPPED',
      details: { node: 2, reason: 'KMS_ACCESS_DENIED' },
    });
    expect(deployed).toEqual(['2 new']);
    await rollBack(plan, ports, journal);
    expect(deployed).toEqual(['2 new', '2 old']);
    expect(await imagesNow()).toEqual(['old', 'old', 'old']);
    expect(journal.stop).toBeNull();
  });

  it('takes no node down while another one is', async () => {
    await settled();
    await quorum.stop(3);
    deployed.length = 0;
    const asked: string[] = [];
    const deploy = (node: number, image: ImageName) => {
      asked.push(`${node} ${image}`);
      return Promise.resolve('HOST_DOWN');
    };
    await expect(rollOut(plan, { ...ports, deploy }, makeJournal())).rejects.toMatchObject({
      code: 'UPGRADE_QUORUM_AT_RISK',
      details: { node: 2, able: [1] },
    });
    // The one that is down would be started again, and its host does not answer: none of the others is touched.
    expect(asked).toEqual(['3 old']);
    await quorum.start(3);
    await settled();
  });

  it('takes no node down when the day of the overlap is over or near', async () => {
    deployed.length = 0;
    for (const until of [Date.now() - 1000, Date.now() + 60_000]) {
      await expect(rollOut({ ...plan, until: () => until }, ports, makeJournal())).rejects.toMatchObject({
        code: 'UPGRADE_OVERLAP_EXPIRED',
      });
    }
    expect(deployed).toEqual([]);
  });

  it('brings the new image to each node, and at no moment are fewer than two able to sign', async () => {
    for (const node of NODES) await putPolicy(node, renderOverlapPolicy(keyOf(node), images, UNTIL));
    deployed.length = 0;
    const watch = { isOver: false };
    const serving: number[] = [];
    const watched = (async () => {
      while (!watch.isOver) {
        serving.push([...quorum.running.values()].filter(({ phase }) => phase === 'serving').length);
        await sleep(20);
      }
    })();
    // A client that goes on signing with whichever node answers.
    const signatures: string[] = [];
    const signing = (async () => {
      while (!watch.isOver) {
        const codes = [];
        for (const node of NODES) {
          const code = await withNode(node, async (client) => await client.sign(SIGN)).then(
            () => 'SIGNED',
            (error: unknown) => errorCode(error),
          );
          codes.push(code);
          if (code === 'SIGNED') break;
        }
        signatures.push(codes.includes('SIGNED') ? 'SIGNED' : codes.join());
      }
    })();
    const events: string[] = [];
    try {
      await rollOut(plan, ports, makeJournal(), ({ event, node }) => events.push(`${event} ${node}`));
    } finally {
      watch.isOver = true;
      await Promise.all([watched, signing]);
    }
    expect(deployed).toEqual(['2 new', '1 new', '3 new']);
    expect(events).toEqual([
      'node-begun 2',
      'node-done 2',
      'node-begun 1',
      'node-done 1',
      'node-begun 3',
      'node-done 3',
    ]);
    expect(Math.min(...serving)).toBe(2);
    expect(signatures.length).toBeGreaterThan(3);
    expect([...new Set(signatures)]).toEqual(['SIGNED']);
    expect(await imagesNow()).toEqual(['new', 'new', 'new']);
    // A second run sees to it, and changes nothing.
    await rollOut(plan, ports, makeJournal());
    expect(deployed.length).toBe(3);
  });

  it('lets nobody start the old image after the day, though nobody has narrowed the policy', async () => {
    await settled();
    const reports = await ports.look();
    assertAllRun('new', reports);
    const passed = Date.now() - 1000;
    const policy = renderOverlapPolicy(keyOf(3), images, passed);
    await putPolicy(3, policy);
    const at = { key: keyOf(3), images, until: passed, now: Date.now() };
    expect(findOverlapState(policy, at)).toBe('expired');
    expect(await ports.deploy(3, 'old')).toBe('KMS_ACCESS_DENIED');
    expect(() =>
      assertAllRun('new', [...reports.slice(0, 2), { node: 3, image: null, canSign: false, code: 'X' }]),
    ).toThrow(expect.objectContaining({ code: 'UPGRADE_UNFINISHED' }));
    await putPolicy(3, renderSinglePolicy(keyOf(3), images.new));
    expect(findOverlapState(renderSinglePolicy(keyOf(3), images.new), at)).toBe('narrowed');
    expect(await ports.deploy(3, 'new')).toBeNull();
    expect(await sign(3)).toBeNull();
  });
});
