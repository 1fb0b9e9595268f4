import { mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parsePcrFile, unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { startLocalAws } from '../../local/testbed/local-aws.ts';
import { CLIENT, DEMO_KEYS, DEMO_RULES } from '../../local/demo/index.ts';
import { DEMO_SIGNATURES } from '../../local/demo/signatures.ts';
import { openTestNode } from '../../local/testbed/index.ts';
import { PARENT_PORT } from '../../shared/transport/ports.ts';
import { openVsockTransport } from '../../shared/native/vsock-transport.ts';
import { askDocument, SigningClient } from '../../test/emulated/programs/node-requests.ts';
import { ParentDaemon } from '../../test/emulated/programs/parent-daemon.ts';
import { report } from '../../test/emulated/programs/report.ts';

// Runs in guest 3. /app/rounds.json names the enclaves that come, their addresses and their order; each is asked for by
// a report, and the next comes when this one is done.
const HOUR_MS = 3_600_000;
const STEP_TIMEOUT_MS = 180_000;
const stateDirectory = '/tmp/state';
mkdirSync(stateDirectory);

interface Round {
  readonly image: string;
  readonly cid: number;
}
const rounds = JSON.parse(readFileSync('/app/rounds.json', 'utf8')) as readonly Round[];

const aws = await startLocalAws({
  stateDirectory: '/app/aws',
  // The emulator's documents bear no signature: this KMS believes them as they are, and nobody else does.
  verifyRecipient: (document) => {
    const { payload } = unsafeParseAttestationDocument(document);
    return { pcrs: payload.pcrs, publicKey: payload.publicKey ?? undefined };
  },
});
const testNode = await openTestNode({ stateDirectory, aws }, { node: 1 });
await testNode.allow(parsePcrFile(readFileSync('/app/node.pcr.json')), { initialise: true });
await testNode.configure({
  version: 1,
  initialise: {
    id: 'first',
    notAfter: new Date(Date.now() + HOUR_MS).toISOString(),
    password: 'generated',
  },
  clients: [{ id: CLIENT, publicKey: testNode.client.publicKey }],
  keys: DEMO_KEYS,
  rules: DEMO_RULES,
});
const transport = openVsockTransport();
await transport.listen(PARENT_PORT.heartbeat, ({ stream, peer }) => {
  stream.once('data', (beat: Buffer) => {
    report('heartbeat', { cid: peer.cid });
    stream.end(beat);
  });
});

for (const { image, cid } of rounds) {
  if (image === 'node') await runNode(cid);
  else await runToItsEnd(image, cid);
}
report('done');

/** Waits for an image that ends by itself: its init reports the end. */
async function runToItsEnd(image: string, cid: number): Promise<void> {
  let hasEnded = false;
  const listener = await transport.listen(PARENT_PORT.exit, ({ stream, peer }) => {
    hasEnded ||= peer.cid === cid;
    stream.resume().end();
  });
  report('launch', { image, cid });
  await until(() => hasEnded);
  await listener.close();
}

async function runNode(cid: number): Promise<void> {
  const daemon = await ParentDaemon.start({ testNode, awsPort: aws.port, cid });
  report('launch', { image: 'node', cid });
  await until(() => daemon.outcome !== undefined);
  if (daemon.outcome === 'serving') {
    const startedAt = performance.now();
    const client = new SigningClient(testNode, (await askDocument()).binding);
    const attestedMs = performance.now() - startedAt;
    const [first] = DEMO_SIGNATURES;
    const { code } = await client.send('POST', '/v1/sign', first?.request);
    report('signed', { cid, code, attestedMs, signMs: performance.now() - startedAt - attestedMs });
  } else {
    report('failed', { cid, outcome: daemon.outcome });
  }
  report('terminate', { cid });
  await daemon.stop();
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error('expected the end of the image within its time');
    await sleep(10);
  }
}
