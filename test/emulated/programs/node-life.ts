import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AWS_NITRO_ROOT_G1,
  MANIFEST_PCR,
  parsePcrFile,
  unsafeParseAttestationDocument,
} from '../../../attestation/index.ts';
import { connectNode, dealShares, sealShare } from '../../../client/index.ts';
import { startLocalAws } from '../../../local/testbed/local-aws.ts';
import { CLIENT, DEMO_KEYS, DEMO_RULES } from '../../../local/demo/index.ts';
import type { RecipientVerifier } from '../../../local/kms/index.ts';
import { type ConfigurationBody, openTestNode } from '../../../local/testbed/index.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import {
  CONFIGURATION_FORMAT_1,
  CONFIGURATION_PAYLOAD_TYPE,
} from '../../../shared/documents/configuration.ts';
import { digestManifest } from '../../../shared/documents/manifest.ts';
import { PARENT_PORT } from '../../../shared/transport/ports.ts';
import { openVsockTransport } from '../../../shared/native/vsock-transport.ts';
import { type LifeImage, type LifeStepId, TOO_SLOW } from './life-steps.ts';
import { askDocument, SigningClient } from './node-requests.ts';
import { NODE_URL, ParentDaemon } from './parent-daemon.ts';
import { report } from './report.ts';

// Runs in the guest at CID 3, beside the parent that it starts and kills: the KMS stand-in, nitro-cli's heartbeat, and
// a client. It asks whoever runs the machines to start enclaves by a report, and plays the life of one node.

/** The emulator's documents bear no signature: this KMS believes them as they are, and nobody else does. */
const acceptUnsignedEmulatorDocument: RecipientVerifier = (document) => {
  const { payload } = unsafeParseAttestationDocument(document);
  return { pcrs: payload.pcrs, publicKey: payload.publicKey ?? undefined };
};

const HOUR_MS = 3_600_000;
const BOOT_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 90_000;
const MAX_RETRIES = 1;
const FIRST_CID = 16;
const QUORUM = { size: 3, threshold: 2 };
const SHARES = ['share-1', 'share-2', 'share-3', 'share-4', 'share-5', 'share-6'];
/**
 * An enclave that does not know whether its commit happened waits 15 seconds for its parent, and then ends. Where the
 * emulated machine takes most of that to start a parent, nothing is to be learnt from it.
 */
const MAX_RESTART_MS = 10_000;
const stateDirectory = '/tmp/state';
mkdirSync(stateDirectory);

const aws = await startLocalAws({
  stateDirectory: '/app/aws',
  verifyRecipient: acceptUnsignedEmulatorDocument,
  onDecision: ({ action, decision, reason }) => report('decision', { action, decision, reason }),
});
const testNode = await openTestNode({ stateDirectory, aws }, { node: 1, quorum: QUORUM });
const imagePcrs = (image: LifeImage) => parsePcrFile(readFileSync(`/app/${image}.pcr.json`));
const first = imagePcrs('first');
const second = imagePcrs('second');

function configuration(version: number, initialise: boolean): ConfigurationBody {
  const notAfter = new Date(Date.now() + HOUR_MS).toISOString();
  return {
    version,
    ...(initialise ? { initialise: { id: 'first', notAfter, password: 'generated' } } : {}),
    clients: [{ id: CLIENT, publicKey: testNode.client.publicKey }],
    keys: [...DEMO_KEYS, ...SHARES.map((id) => ({ id, type: 'frost-ed25519' as const }))],
    rules: [
      ...DEMO_RULES,
      {
        id: 'shares',
        operations: ['import-share'],
        clients: [CLIENT],
        keys: SHARES,
        algorithms: ['frost-ed25519'],
        payloads: ['message'],
        rate: null,
      },
    ],
  };
}

const beats = new Map<number, string>();
await openVsockTransport().listen(PARENT_PORT.heartbeat, ({ stream, peer }) => {
  stream.once('data', (beat: Buffer) => {
    beats.set(peer.cid, beat.toString('hex'));
    report('heartbeat', { cid: peer.cid, beat: beat.toString('hex') });
    stream.end(beat);
  });
});

/** Paths of files in the place of the test node's own. */
type Artifacts = Pick<Parameters<typeof ParentDaemon.start>[0], 'manifest' | 'configuration'>;
let nextCid = FIRST_CID;
let cid = 0;
let daemon: ParentDaemon | undefined;

async function startParent(artifacts: Artifacts = {}): Promise<ParentDaemon> {
  daemon = await ParentDaemon.start({ testNode, awsPort: aws.port, cid, ...artifacts });
  return daemon;
}

/**
 * Starts an enclave behind a parent of its own, and returns its outcome: `serving`, or the code that it failed with. A
 * boot that does not come as far as the heartbeat is the emulator's own known fault, and is tried again.
 */
async function startNode(image: LifeImage, artifacts: Artifacts = {}): Promise<string> {
  for (let retries = 0; ; retries += 1) {
    await stopNode();
    cid = nextCid;
    nextCid += 1;
    const parent = await startParent(artifacts);
    report('launch', { image, cid });
    const outcome = await settle(parent);
    if (outcome !== undefined) return outcome;
    if (beats.has(cid) || retries === MAX_RETRIES) return 'NO_WORD';
    report('retry', { cid });
  }
}

async function settle(parent: ParentDaemon): Promise<string | undefined> {
  const bootDeadline = Date.now() + BOOT_TIMEOUT_MS;
  const deadline = bootDeadline + START_TIMEOUT_MS;
  while (parent.outcome === undefined) {
    if (Date.now() > (beats.has(cid) ? deadline : bootDeadline)) return undefined;
    await sleep(20);
  }
  return parent.outcome;
}

async function stopNode(): Promise<void> {
  if (daemon === undefined) return;
  report('terminate', { cid });
  await daemon.stop();
  daemon = undefined;
}

async function step(id: LifeStepId, act: () => Promise<string> | string): Promise<string> {
  const startedAt = performance.now();
  let outcome: string;
  let stack: string | undefined;
  try {
    outcome = await act();
  } catch (error) {
    outcome = errorCode(error);
    stack = error instanceof Error ? error.stack : String(error);
  }
  report('step', {
    id,
    outcome,
    ms: Math.round(performance.now() - startedAt),
    ...(stack === undefined ? {} : { stack }),
  });
  return outcome;
}

/** Ends the machines; no further report follows. */
async function finish(): Promise<never> {
  await stopNode();
  report('done');
  await sleep(500);
  process.exit(0);
}

const connect = async () => new SigningClient(testNode, (await askDocument()).binding);

const dealt = dealShares({ type: 'frost-ed25519', participants: QUORUM.size, threshold: QUORUM.threshold });
const acknowledged: string[] = [];
let restartMs = 0;

/** Imports shares one after the other; at the moment given kills the parent while the second is on its way. */
async function importAmidKill(
  client: SigningClient,
  keys: readonly string[],
  moment: () => Promise<void>,
): Promise<string> {
  const [share] = dealt.shares;
  if (share === undefined) throw new RangeError('no share');
  const { session, importKey } = client.binding;
  const manifest = digestManifest(testNode.manifestBytes);
  for (const [index, key] of keys.entries()) {
    const destination = { manifest, session, key };
    const request = sealShare(dealt.group, share, Buffer.from(importKey, 'hex'), destination);
    const answer = retry(() => client.send('PUT', `/v1/keys/${key}/share`, request));
    if (index === 1) {
      await moment();
      await daemon?.stop('SIGKILL');
      report('killed', { cid });
      const killedAt = performance.now();
      await startParent();
      restartMs = performance.now() - killedAt;
    }
    const { code } = await answer;
    // The response to an earlier attempt may have been lost with the parent.
    if (code !== 'ok' && code !== 'SHARE_EXISTS') throw new Error(`${key}: ${code}`);
    acknowledged.push(key);
  }
  const held = new Set(
    (await client.keys()).filter(({ publicKey }) => publicKey !== null).map(({ id }) => id),
  );
  const lost = acknowledged.filter((key) => !held.has(key));
  return `${listWrong(lost, 'nothing lost')}, ${(await isSameBoot(client)) ? 'same' : 'another'} boot`;
}

/**
 * Waits until the write-ahead log grows, which it does while a commit is under way: the enclave has not heard of the
 * commit then.
 */
async function untilStoreIsWritten(): Promise<void> {
  for await (const { filename } of watch(dirname(testNode.storePath))) {
    if (filename?.endsWith('-wal') === true) return;
  }
}

/** Asks until a response comes. */
async function retry<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

async function isSameBoot(client: SigningClient): Promise<boolean> {
  const { binding } = await retry(askDocument);
  return binding.session === client.binding.session;
}

const keysOf = async (client: SigningClient) => JSON.stringify(await client.keys());
const listWrong = (wrong: readonly string[], right: string) =>
  wrong.length === 0 ? right : wrong.join(', ');

let keys = '';
await ParentDaemon.check({ testNode, awsPort: aws.port, cid: nextCid });
const started = await step('start', async () => {
  await testNode.allow(first, { initialise: true });
  await testNode.configure(configuration(1, true));
  return await startNode('first');
});
if (started !== 'serving') await finish();
await step('heartbeat', () => beats.get(cid) ?? 'none');
await step('measured', async () => {
  const { pcrs } = await askDocument();
  const expected = new Map([...first, [MANIFEST_PCR, testNode.manifestPcr] as const]);
  report('measured', { pcrs: Object.fromEntries([...pcrs].map(([index, value]) => [index, hex(value)])) });
  return [...expected]
    .map(([index, value]) => `${hex(pcrs.get(index)) === hex(value) ? '' : 'not '}PCR${index}`)
    .join(' ');
});
await step('unverified', () => {
  const trust = { root: AWS_NITRO_ROOT_G1, pcrs: first, manifest: testNode.manifestBytes };
  const options = { url: NODE_URL, trust, clientId: CLIENT, privateKey: testNode.client.privateKey };
  return connectNode(options).then(() => 'believed', errorCode);
});
await step('signatures', async () => listWrong(await (await connect()).sign(), 'all verify'));

await step('killed', async () => importAmidKill(await connect(), SHARES.slice(0, 3), () => sleep(50)));
await step('killedAmidCommit', async () => {
  if (restartMs > MAX_RESTART_MS) return TOO_SLOW;
  return await importAmidKill(await connect(), SHARES.slice(3), untilStoreIsWritten);
});
await step('stopped', async () => {
  const client = await connect();
  const exitCode = await daemon?.stop();
  await startParent();
  keys = await keysOf(client);
  return `exit ${String(exitCode)}, ${(await isSameBoot(client)) ? 'same' : 'another'} boot`;
});

await step('again', async () => {
  await testNode.allow(first);
  await testNode.configure(configuration(2, false));
  return await startNode('first');
});
await step('kept', async () => {
  const client = await connect();
  const same = (await keysOf(client)) === keys ? 'all the same' : 'OTHERS';
  return `${same}, ${listWrong(await client.sign(), 'all verify')}`;
});

await step('unknownImage', () => startNode('second'));
await step('upgraded', async () => {
  await testNode.allow(second, { others: [first] });
  const outcome = await startNode('second');
  const same = (await keysOf(await connect())) === keys;
  return `${outcome}, ${same ? 'all the same' : 'OTHERS'}`;
});
await step('oldImage', async () => {
  await testNode.allow(second);
  return await startNode('first');
});

await step('otherManifest', () => startNode('second', takeOver()));
await step('repacked', () => startNode('repacked'));
await step('withoutNsm', () => startNode('without-nsm'));
await finish();

/** Makes a manifest that names an authority of the attacker's, and a configuration that this authority has signed. */
function takeOver(): Required<Artifacts> {
  const attacker = generateKeyPairSync('ed25519');
  const authority = { threshold: 1, keys: [ed25519PublicKeyHex(attacker.publicKey)] };
  const manifest = Buffer.from(JSON.stringify({ ...testNode.manifest, configurationAuthority: authority }));
  const changed = {
    format: CONFIGURATION_FORMAT_1,
    manifest: hex(digestManifest(manifest)),
    ...configuration(3, false),
  };
  const envelope = createEnvelope(CONFIGURATION_PAYLOAD_TYPE, Buffer.from(JSON.stringify(changed)));
  const files = { manifest: '/tmp/other-manifest.json', configuration: '/tmp/other-configuration.json' };
  writeFileSync(files.manifest, manifest);
  writeFileSync(files.configuration, JSON.stringify(signEnvelope(envelope, attacker.privateKey)));
  return files;
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}
