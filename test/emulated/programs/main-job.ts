import { mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { unsafeParseAttestationDocument } from '../../../attestation/index.ts';
import { startLocalAws } from '../../../local/aws/local-aws.ts';
import type { RecipientVerifier } from '../../../local/kms/index.ts';
import { makeRequest } from '../../../local/demo/request-refusals.ts';
import { askSession, sendRaw } from '../../../local/demo/raw-request.ts';
import { DEMO_SIGNATURES } from '../../../local/demo/signatures.ts';
import { CLIENT, DEMO_KEYS, DEMO_RULES } from '../../../local/demo/stage.ts';
import {
  openSite,
  siteParentOptions,
  type ConfigurationBody,
  type World,
} from '../../../local/world/index.ts';
import { createJsonLog, type Parent, startParent } from '../../../parent/index.ts';
import { parsePcrFile } from '../../../attestation/index.ts';
import { signAnswerSchema } from '../../../shared/node/api.ts';
import { PARENT_PORT } from '../../../shared/transport/transport.ts';
import { openVsockTransport } from '../../../shared/transport/vsock-transport.ts';
import { report } from './report.ts';
import { betweenGuests } from './small-writes.ts';

// Runs in the guest at CID 3: the real parent daemon over AF_VSOCK, with a KMS stand-in beside it, and a client. It
// asks the test outside to start enclaves by a report, and plays the life of one node.

/** The emulator's documents bear no signature: this KMS believes them as they are, and only in this test. */
const acceptUnsignedEmulatorDocument: RecipientVerifier = (document) => {
  const { payload } = unsafeParseAttestationDocument(document);
  return { pcrs: payload.pcrs, publicKey: payload.publicKey ?? undefined };
};

const HOUR_MS = 3_600_000;
const BOOT_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
const MAX_RETRIES = 1;
const transport = betweenGuests(openVsockTransport());
const stateDirectory = '/tmp/state';
mkdirSync(stateDirectory);

/** pcr.json of an image, as the build wrote it. */
const pcrsOf = (image: string) => parsePcrFile(readFileSync(`/app/${image}.pcr.json`));
const aws = await startLocalAws({
  stateDirectory: '/app/aws',
  verifyRecipient: acceptUnsignedEmulatorDocument,
  onDecision: ({ action, decision, reason }) => report('decision', { action, decision, reason }),
});
const world = { stateDirectory, aws, socketDirectory: '/tmp' } as Pick<
  World,
  'stateDirectory' | 'aws'
> as World;
const site = await openSite(world, { node: 1 });

function configuration(version: number, initialise: boolean): ConfigurationBody {
  const notAfter = new Date(Date.now() + HOUR_MS).toISOString();
  return {
    version,
    ...(initialise ? { initialise: { id: 'first', notAfter, password: 'generated' } } : {}),
    clients: [{ id: CLIENT, publicKey: site.client.publicKey }],
    keys: DEMO_KEYS,
    rules: DEMO_RULES,
  };
}

const booted = new Set<number>();
await transport.listen(PARENT_PORT.heartbeat, ({ stream, peer }) => {
  booted.add(peer.cid);
  stream.once('data', (beat) => stream.end(beat));
});
const writeLog = createJsonLog((line) => process.stdout.write(line));
let nextCid = 16;

/** The parent daemon of one enclave; `onExit` gets the reason that the enclave's init gave. */
function openParent(cid: number, onExit?: (reason: string) => void, manifest?: Uint8Array): Promise<Parent> {
  return startParent({
    ...siteParentOptions(world, site, cid),
    ...(manifest === undefined ? {} : { manifest: () => Promise.resolve(manifest) }),
    transport,
    log(level, event, fields) {
      writeLog(level, event, fields);
      if (event === 'node.exit') onExit?.(String(fields?.['reason']));
    },
  });
}

interface Started {
  readonly cid: number;
  readonly parent: Parent;
  readonly outcome: string;
}

/**
 * Starts an enclave of an image, and waits for what becomes of it: `serving`, or the code that it failed with. A boot
 * that does not come as far as the heartbeat is the emulator's own known fault, and is tried again.
 */
async function start(image: string, manifest?: Uint8Array): Promise<Started> {
  for (let retries = 0; ; retries += 1) {
    const started = await startOnce(image, manifest);
    if (started.outcome !== 'NO_WORD' || booted.has(started.cid) || retries === MAX_RETRIES) return started;
    report('retry', { cid: started.cid });
    await stop(started);
  }
}

async function startOnce(image: string, manifest?: Uint8Array): Promise<Started> {
  const cid = nextCid;
  nextCid += 1;
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const parent = await openParent(cid, resolve, manifest);
  report('launch', { image, cid });
  const bootDeadline = Date.now() + BOOT_TIMEOUT_MS;
  const deadline = bootDeadline + START_TIMEOUT_MS;
  for (;;) {
    const outcome = await Promise.race([ended, sleep(20)]);
    if (outcome !== undefined) return { cid, parent, outcome };
    if (parent.node?.phase === 'serving') return { cid, parent, outcome: 'serving' };
    if (Date.now() > (booted.has(cid) ? deadline : bootDeadline)) return { cid, parent, outcome: 'NO_WORD' };
  }
}

async function stop({ cid, parent }: Started): Promise<void> {
  report('terminate', { cid });
  await parent.close(0);
}

/** Signs one of each, verifies them, and gives back the public keys. */
async function sign({ parent }: { readonly parent: Parent }): Promise<string[]> {
  const url = `https://127.0.0.1:${parent.ingress?.port ?? 0}`;
  const session = await askSession(url);
  const keys: string[] = [];
  for (const { title, request, verify } of DEMO_SIGNATURES) {
    const answer = signAnswerSchema.parse(
      (await sendRaw(url, makeRequest({ site, url, session }, { body: request }))).body,
    );
    if (!verify(answer)) throw new Error(`does not verify: ${title}`);
    keys.push(answer.publicKey);
  }
  return keys;
}

async function step(name: string, act: () => Promise<Record<string, unknown>>): Promise<void> {
  const startedAt = performance.now();
  const result = await act().catch((error: unknown) => ({
    error: error instanceof Error ? error.stack : String(error),
  }));
  report('step', { name, ...result, ms: Math.round(performance.now() - startedAt) });
}

const first = pcrsOf('first');
const second = pcrsOf('second');
let keys = '';
let running: Started | undefined;

await step('first start', async () => {
  await site.allow(first, { initialise: true });
  await site.configure(configuration(1, true));
  running = await start('first');
  if (running.outcome === 'serving') keys = (await sign(running)).join();
  return { outcome: running.outcome, signed: keys !== '' };
});
await step('the parent restarts', async () => {
  if (running === undefined) return { outcome: 'NOT_RUNNING' };
  await running.parent.close(0);
  running = { ...running, parent: await openParent(running.cid) };
  return { same: (await sign(running)).join() === keys };
});
if (running !== undefined) await stop(running);

await step('second start on the same store', async () => {
  await site.allow(first);
  await site.configure(configuration(2, false));
  const started = await start('first');
  const same = started.outcome === 'serving' && (await sign(started)).join() === keys;
  await stop(started);
  return { outcome: started.outcome, same };
});
await step('an image that the key policy does not name', async () => {
  const started = await start('second');
  await stop(started);
  return { outcome: started.outcome };
});
await step('that image when the key policy names it', async () => {
  await site.allow(second);
  const started = await start('second');
  const same = started.outcome === 'serving' && (await sign(started)).join() === keys;
  await stop(started);
  return { outcome: started.outcome, same };
});
await step('the old image when the key policy no longer names it', async () => {
  const started = await start('first');
  await stop(started);
  return { outcome: started.outcome };
});
await step('another manifest', async () => {
  // One space more: the same meaning, another measurement.
  const changed = new Uint8Array(Buffer.concat([site.manifestBytes, Buffer.from(' ')]));
  const started = await start('second', changed);
  await stop(started);
  return { outcome: started.outcome };
});
report('done');
await sleep(500);
process.exit(0);
