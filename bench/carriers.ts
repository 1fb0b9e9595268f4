// Round trips of datagrams between the enclaves' ends of two parents: direct, with certificates, with delay, by NATS.
// Usage: node bench/carriers.ts [ROUNDS]
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
