<<<<<<< HEAD
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
=======
// Round trips of datagrams between the enclaves' ends of two parents: direct, with certificates, with delay, by NATS.
// Usage: node bench/peers.ts [ROUNDS]
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { openDelayedNetwork } from '../test/support/delayed-network.ts';
import { createAuthority } from '../test/parent/peers/authority.ts';
import { findNatsServer, startNatsCluster } from '../test/parent/peers/nats-servers.ts';
import { closeAll, closeLater, startNode, until } from '../test/parent/peers/start-node.ts';

const ROUNDS = Number(process.argv[2] ?? '2000');
const BYTES = 1_000;
const FLOOD = 5_000;

type Node = Awaited<ReturnType<typeof startNode>>;

/** Times round trips one after the other, in ms, then a stream of datagrams one way, in datagrams a second. */
async function measure(what: string, a: Node, b: Node, rounds: number): Promise<void> {
  // Until the streams and connections are there.
  for (let tries = 0; b.enclave.delivered.length === 0 && tries < 100; tries += 1) {
    await a.enclave.send(2, Buffer.alloc(BYTES));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [atA, atB] = [a.enclave.delivered.length, b.enclave.delivered.length];
    const startedAt = performance.now();
    await a.enclave.send(2, Buffer.alloc(BYTES));
    await b.enclave.waitFor(atB + 1);
    await b.enclave.send(1, Buffer.alloc(BYTES));
    await a.enclave.waitFor(atA + 1);
    times.push(performance.now() - startedAt);
  }
  times.sort((x, y) => x - y);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  const before = b.enclave.delivered.length;
  const startedAt = performance.now();
  for (let sent = 0; sent < FLOOD; sent += 1) {
    await a.enclave.send(2, Buffer.alloc(BYTES));
    // No more than a queue holds is under way.
    while (sent - (b.enclave.delivered.length - before) > 250)
      await new Promise((resolve) => setImmediate(resolve));
  }
  await until('all have come', () => b.enclave.delivered.length >= before + FLOOD, 60_000).catch(
    () => undefined,
  );
  const rate = Math.round(((b.enclave.delivered.length - before) / (performance.now() - startedAt)) * 1_000);
  process.stdout.write(
    `${what.padEnd(34)} ${at(0.5).padStart(8)} ${at(0.99).padStart(8)} ${String(rate).padStart(8)}\n`,
  );
  await closeAll();
}

process.stdout.write(`${'1,000 bytes there and back'.padEnd(34)}   p50 ms   p99 ms      1/s\n`);
const folder = temporaryFolder();
const authority = createAuthority(folder);
const issue = (node: number) => authority.issue(`node-${node}`, [`DNS:node-${node}.acme.example`]);

for (const delayMs of [0, 1, 30]) {
  const b = await startNode(2, { nodes: [{ node: 1 }] });
  const network = closeLater(await openDelayedNetwork(b.address, delayMs));
  const a = await startNode(1, { nodes: [{ node: 2, address: network.address }] });
  await measure(`direct, ${delayMs} ms away (by a proxy)`, a, b, delayMs === 30 ? 50 : ROUNDS);
}
for (const tls of [false, true]) {
  const of = (node: number) => (tls ? { tls: issue(node) } : {});
  const b = await startNode(2, { nodes: [{ node: 1, name: 'node-1.acme.example' }], ...of(2) });
  const a = await startNode(1, {
    nodes: [{ node: 2, address: b.address, name: 'node-2.acme.example' }],
    ...of(1),
  });
  await measure(tls ? 'direct, with certificates' : 'direct', a, b, ROUNDS);
}
const program = findNatsServer();
if (program !== undefined) {
  const cluster = await startNatsCluster(program, authority);
  const of = (node: number) => ({
    nodes: [1, 2].filter((one) => one !== node).map((one) => ({ node: one })),
    nats: { servers: cluster.servers, namespace: 'acme', environment: 'production', tls: issue(node) },
  });
  await measure(
    'NATS, three servers, three copies',
    await startNode(1, of(1)),
    await startNode(2, of(2)),
    ROUNDS,
  );
  await cluster.stop();
}
>>>>>>> carrier
