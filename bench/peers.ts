import { createHash, randomBytes } from 'node:crypto';
import { createNsmClient, type NsmClient } from '../enclave/nsm/index.ts';
import type { Carrier } from '../enclave/peers/carrier.ts';
import { openPeerNetwork, type OpenPeerNetwork } from '../enclave/peers/index.ts';
import { EmulatedNsm, NitroRoot } from '../local/nsm/index.ts';

// What the channel between two nodes costs, both in one thread: handshakes with the signatures of two NSM stand-ins, and
// calls. The carrier is a queue of this process.

const HANDSHAKES = 50;
const CALLS = 3_000;
const INSTANCE = 'i-0123456789abcdef0';
const pcrs = [0, 1, 2].map((index) => createHash('sha384').update(String(index)).digest());
const manifestOf = (node: number) => createHash('sha384').update(`manifest ${node}`).digest();
const root = await NitroRoot.create(Date.now());
const listeners = new Map<number, (from: number, datagram: Uint8Array) => void>();

function makeCarrier(node: number): Carrier {
  return {
    send: (to, datagram) => void setImmediate(() => listeners.get(to)?.(node, datagram)),
    onDatagram: (listener) => listeners.set(node, listener),
    report: () => undefined,
    close: () => undefined,
  };
}

async function makeNsm(node: number): Promise<NsmClient> {
  const nsm = createNsmClient(
    new EmulatedNsm({
      root,
      instanceId: INSTANCE,
      moduleId: `${INSTANCE}-enc0123456789abcdef`,
      measured: new Map(pcrs.entries()),
      clock: Date.now,
    }),
  );
  await nsm.extendPcr(16, manifestOf(node));
  await nsm.lockPcr(16);
  await nsm.attest({});
  return nsm;
}

function open(node: number, nsm: NsmClient): OpenPeerNetwork {
  const other = 3 - node;
  const [zero, one, two] = pcrs.map((pcr) => pcr.toString('hex'));
  return openPeerNetwork({
    binding: {
      node,
      session: randomBytes(16).toString('hex'),
      configuration: { version: 1, digest: 'c'.repeat(96) },
      receiptKey: 'd'.repeat(64),
    },
    manifest: manifestOf(node),
    peers: [
      {
        node: other,
        manifest: manifestOf(other).toString('hex'),
        images: [{ pcrs: { 0: zero ?? '', 1: one ?? '', 2: two ?? '' }, notAfter: null }],
      },
    ],
    nsm,
    root: root.certificate,
    carrier: makeCarrier(node),
    now: Date.now,
  });
}

/** Opens both nodes, and returns them with the milliseconds of processor time until both have a session. */
async function meet(nsms: readonly [NsmClient, NsmClient]) {
  const before = process.cpuUsage();
  const both = [open(2, nsms[1]), open(1, nsms[0])] as const;
  await Promise.all(
    both.map((network) => new Promise<void>((resolve) => network.onSession(() => resolve()))),
  );
  return { both, milliseconds: processorMs(before) };
}

const processorMs = (before: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
const show = (name: string, value: number) => console.log(`${name.padEnd(48)}${value.toFixed(3)} ms`);

const nsms = [await makeNsm(1), await makeNsm(2)] as const;
const handshakes: number[] = [];
for (let index = 0; index < HANDSHAKES; index += 1) {
  const { both, milliseconds } = await meet(nsms);
  for (const network of both) network.close();
  handshakes.push(milliseconds);
}
show('handshake, both sides, two documents (processor)', median(handshakes));
const attestations: number[] = [];
for (let index = 0; index < HANDSHAKES; index += 1) {
  const before = process.cpuUsage();
  await nsms[0].attest({ nonce: randomBytes(32) });
  attestations.push(processorMs(before));
}
show('of it, a document of the stand-in', median(attestations));

const {
  both: [two, one],
} = await meet(nsms);
two.serve('echo', (_, body) => Promise.resolve(body));
for (const bytes of [0, 1_000, 100_000]) {
  const body = Buffer.alloc(bytes, 1);
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let index = 0; index < (bytes > 10_000 ? CALLS / 10 : CALLS); index += 1) {
    const began = performance.now();
    await one.call(2, 'echo', body, { timeoutMs: 10_000 });
    times.push(performance.now() - began);
  }
  show(`call and answer of ${bytes} bytes, one at a time, p50`, median(times));
  show('  processor time, both sides', processorMs(before) / times.length);
}
for (const network of [one, two]) network.close();
