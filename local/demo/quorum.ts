import { createPublicKey, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectQuorum, type NodeClientOptions, type QuorumClient } from '../../client/index.ts';
import { errorCode } from '../../shared/errors.ts';
import { createMemoryStore, type StoreSnapshot } from '../hostile-parent/index.ts';
import type { Program } from '../nitro-host/index.ts';
import { QUORUM_KEYS, type WitnessKeys } from '../testbed/quorum-configuration.ts';
import { CLIENT } from '../testbed/scenario.ts';
import { type QuorumMember, type StartMemberOptions, TestQuorum } from '../testbed/test-quorum.ts';
import { openTestbed } from '../testbed/testbed.ts';
import { attestKeys, CATCH_UP_MS, openConfigurations, POLL_MS, waitForAllPeers } from './quorum-stage.ts';
import { rollBackWitnessed } from './quorum-witness.ts';
import { judge, type Running, type Step } from './steps.ts';

const SIZE = 3;
const THRESHOLD = 2;
const [{ id: KEY }] = QUORUM_KEYS;
const MESSAGE = Buffer.from('a transfer out of the treasury');

export interface QuorumStoryOptions {
  /** Folder of its own for the testbed of three accounts. */
  readonly directory: string;
  readonly program: Program;
  readonly running: Running;
  readonly step: Step;
}

/** Plays the life of a key that three nodes share: no place ever holds it whole. */
export async function playQuorum({ directory, program, running, step }: QuorumStoryOptions): Promise<void> {
  const testbed = await openTestbed({ stateDirectory: directory });
  const quorum = await TestQuorum.open(testbed, {
    size: SIZE,
    threshold: THRESHOLD,
    program: program.folder,
  });
  running.add({
    stop: async () => {
      await quorum.close();
      await testbed.close();
    },
  });
  const configured = await openConfigurations(testbed, quorum, program);
  const { pcrs } = configured;
  await configured.sign({});
  const stores = new Map(quorum.members.map(({ node }) => [node, createMemoryStore()] as const));
  const optionsOf = (node: number): StartMemberOptions => ({
    parent: (honest) => ({ ...honest, store: stores.get(node) ?? honest.store }),
  });
  await step('quorum', 'three accounts, three admins, three hosts: three nodes start', async () => {
    const started = await quorum.startAll(optionsOf);
    const codes = started.map(({ code }) => code ?? 'serving');
    return { ok: codes.every((code) => code === 'serving'), outcome: codes.join(', ') };
  });
  const reach = ({ node, testNode }: QuorumMember): NodeClientOptions => ({
    url: quorum.running.get(node)?.url ?? 'https://127.0.0.1:1',
    trust: { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes },
    clientId: CLIENT,
    privateKey: testNode.client.privateKey,
    timeoutMs: 30_000,
  });
  const connect = async (members: readonly QuorumMember[]): Promise<QuorumClient> => {
    const client = await connectQuorum({ nodes: members.map(reach) });
    running.add({ stop: () => Promise.resolve(client.close()) });
    return client;
  };
  const client = await connect(quorum.members);
  const keys = new Map<number, WitnessKeys>();
  await step('quorum', 'each node verifies the attestation documents of the other two', async () => {
    await waitForAllPeers(quorum.members.map(reach));
    for (const member of quorum.members) keys.set(member.node, await attestKeys(reach(member)));
    return { ok: true, outcome: 'all are connected' };
  });
  let publicKey = '';
  /** Former state of the third node's store, which its parent has kept. */
  let old: StoreSnapshot | undefined;
  const sign = async (asked: QuorumClient) => {
    const { signature } = await asked.sign({
      key: KEY,
      algorithm: 'frost-ed25519',
      payload: { kind: 'message', message: MESSAGE.toString('hex') },
    });
    const ok = isSignature(signature, publicKey);
    return { ok, outcome: ok ? 'verified by OpenSSL' : 'DOES NOT VERIFY' };
  };
  await step('quorum', 'the nodes generate a key; each holds one share, and nobody the whole', async () => {
    const { ceremony } = await client.generate(KEY);
    const done = await client.waitFor(ceremony);
    publicKey = done.publicKey ?? '';
    return { ok: done.epoch === 1, outcome: `Ed25519 ${publicKey.slice(0, 16)}…, epoch 1` };
  });
  await step('quorum', 'two of three sign', () => sign(client));
  await step('quorum', 'the nodes refresh their shares; the public key stays', async () => {
    old = stores.get(SIZE)?.snapshot();
    const { ceremony } = await client.refresh(KEY);
    const done = await client.waitFor(ceremony);
    return {
      ok: done.publicKey === publicKey && done.epoch === 2,
      outcome: `epoch ${done.epoch}, the same key`,
    };
  });
  await step('quorum', 'node 3 is killed', async () => {
    await quorum.stop(SIZE);
    return { ok: !quorum.running.has(SIZE), outcome: 'two are left' };
  });
  await step('quorum', 'the other two sign without it', () => sign(client));
  await step('quorum', 'its store is rolled back to the former share, and the node is started', async () => {
    if (old !== undefined) stores.get(SIZE)?.restore(old);
    const { code } = await quorum.start(SIZE, optionsOf(SIZE));
    return judge('serving', code ?? 'serving');
  });
  await step(
    'quorum',
    'the old share is dead: the node drops it for the epoch that the others prove',
    async () => {
      const third = await connect([quorum.member(SIZE)]);
      const deadline = Date.now() + CATCH_UP_MS;
      for (;;) {
        const held = (await third.status()).keys.find(({ id }) => id === KEY);
        if (held?.share?.epoch !== 1) {
          const { share, superseded } = held ?? {};
          const epoch = share?.epoch ?? superseded ?? 0;
          return { ok: epoch === 2, outcome: `epoch ${epoch} is in force, no share of epoch 1` };
        }
        if (Date.now() > deadline) return { ok: false, outcome: 'STILL EPOCH 1' };
        await sleep(POLL_MS);
      }
    },
  );
  await step('quorum', 'the others make its share again; none of them learns it', async () => {
    await waitForAllPeers(quorum.members.map(reach));
    const { ceremony } = await client.repair(KEY, SIZE);
    const done = await client.waitFor(ceremony);
    return { ok: done.publicKey === publicKey, outcome: `epoch ${done.epoch}, the same key` };
  });
  await step('quorum', 'one node alone signs nothing', async () => {
    await quorum.stop(2);
    await quorum.stop(SIZE);
    const alone = await sign(client).then(
      () => 'SIGNED',
      (error: unknown) => errorCode(error),
    );
    return { ok: ['QUORUM_BELOW_THRESHOLD', 'QUORUM_UNREACHABLE'].includes(alone), outcome: alone };
  });
  await rollBackWitnessed({
    quorum,
    step,
    optionsOf,
    store: stores.get(SIZE) ?? createMemoryStore(),
    keys,
    connect,
    configure: configured.sign,
    sign,
  });
}

/** Whether a signature over the message verifies, by OpenSSL. */
function isSignature(signature: string, publicKey: string): boolean {
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, MESSAGE, key, Buffer.from(signature, 'hex'));
}
