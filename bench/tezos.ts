/**
 * Transactions of a tz1 account that are read, decided and logged: by the node's own interface, and through a door of the
 * remote signer protocol that runs in the process of the load. The node has a core of its own.
 *
 * node bench/tezos.ts [--rounds N] [--seconds N] [--warm-up N] [--connections N]
 */
import { Agent, request as requestByHttp } from 'node:http';
import { parseArgs } from 'node:util';
import { GatewayNodes, silentGatewayLog, startGatewayServer } from '../client/gateway/index.ts';
import { createTezosProtocol } from '../client/gateway/tezos/index.ts';
import { connectNode } from '../client/index.ts';
import { OTHER_CORE, pinSelf } from './node/cores.ts';
import { measureLoad } from './node/load-figures.ts';
import { readCpuTime, readMemory } from './node/process-usage.ts';
import { BenchStack } from './node/stack.ts';
import { median, percentile } from './node/statistics.ts';
import { makeTezosConfiguration, makeTezosTransactions, TEZOS_KEY } from './node/tezos-transactions.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '1' },
    connections: { type: 'string', default: '16' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const warmUpSeconds = Number(values['warm-up']);
const connections = Number(values.connections);
const COUNT = 20_000;
const AIM = 2_000;

/** Figures of one load. Times of processors are in microseconds for one signature, latencies in milliseconds. */
interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly enclave: number;
  readonly parent: number;
}

pinSelf(OTHER_CORE);
const stack = await BenchStack.open({ configure: makeTezosConfiguration, hasAuditLog: true });
const node = await stack.start('bundle');
const clients = stack.clients.map(({ id, privateKey }) => ({
  id,
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
}));
const [client] = stack.clients;
if (client === undefined) throw new RangeError('no client');
const connected = await connectNode({
  ...stack.trust,
  url: node.url,
  clientId: client.id,
  privateKey: client.privateKey,
});
const { binding } = await connected.attest();
const publicKey = (await connected.keys()).find(({ id }) => id === TEZOS_KEY)?.publicKey ?? '';
const { hash, requests } = makeTezosTransactions(Buffer.from(publicKey, 'hex'), COUNT);

const nodes = new GatewayNodes({
  nodes: [{ url: node.url, trust: stack.trust.trust }],
  clients: stack.clients,
  log: silentGatewayLog,
  timeoutMs: 10_000,
  readyMs: 60_000,
});
// A node limits the requests of each client, so that each connection of the load has a door of its own client.
const doors = await Promise.all(
  stack.clients.map(({ id }) =>
    startGatewayServer({
      listen: { port: 0 },
      protocol: createTezosProtocol({
        nodes: nodes.client(id),
        section: { client: id, proofOfPossession: false },
      }),
      probes: { readiness: () => nodes.readiness },
      log: silentGatewayLog,
      drainMs: 1_000,
    }),
  ),
);

async function measureDirect(): Promise<Figures> {
  const { perSecond, p50, p99, server, parent } = await measureLoad(
    { url: node.url, session: binding.session, serverPid: node.enclavePid, parentPid: node.parentPid },
    requests,
    { clients, connections, seconds, warmUpSeconds, maxPerSecond: 4_000 },
    true,
  );
  return { perSecond, p50, p99, enclave: server, parent };
}

async function post(port: number, agent: Agent, body: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const asked = requestByHttp(
      { port, host: '127.0.0.1', agent, method: 'POST', path: `/keys/${hash}` },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}

async function measureDoor(): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const state = { next: 0, isMeasured: false, isOver: false };
  const loop = async (lane: number) => {
    const port = doors[lane % doors.length]?.address.port ?? 0;
    while (!state.isOver) {
      const { payload } = requests[state.next++ % requests.length] ?? {};
      if (payload?.kind !== 'tezos-operation') throw new RangeError('expected an operation');
      const start = performance.now();
      const status = await post(port, agent, JSON.stringify(payload.operation));
      if (status !== 200) throw new Error(`expected 200, found ${status}`);
      if (state.isMeasured) latencies.push(performance.now() - start);
    }
  };
  const lanes = Promise.all(Array.from({ length: connections }, (_, lane) => loop(lane)));
  const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time * 1000));
  await Promise.race([lanes, wait(warmUpSeconds)]);
  const pids = [node.enclavePid, node.parentPid];
  const before = pids.map(readCpuTime);
  state.isMeasured = true;
  const start = performance.now();
  await Promise.race([lanes, wait(seconds)]);
  const elapsed = performance.now() - start;
  state.isMeasured = false;
  const [enclave = 0, parent = 0] = pids.map((pid, index) => readCpuTime(pid) - (before[index] ?? 0));
  state.isOver = true;
  await lanes;
  agent.destroy();
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    enclave: (enclave / latencies.length) * 1000,
    parent: (parent / latencies.length) * 1000,
  };
}

const loads = [
  ['direct', measureDirect],
  ['through the door', measureDoor],
] as const;
const figures = new Map<string, Figures[]>(loads.map(([name]) => [name, []]));
try {
  for (let round = 0; round < rounds; round += 1)
    for (const [name, run] of loads) figures.get(name)?.push(await run());
} finally {
  connected.close();
  await Promise.all(doors.map((door) => door.close()));
  nodes.close();
  await node.stop();
  await stack.close();
}
for (const [name, found] of figures) {
  const at = (pick: (each: Figures) => number, digits = 0) =>
    median(found.map(pick)).toFixed(digits).padStart(7);
  const core = 1e6 / median(found.map(({ enclave }) => enclave));
  console.log(
    `${name.padEnd(17)} ${at((each) => each.perSecond)}/s  p50 ${at((each) => each.p50, 1)} ms  p99 ${at((each) => each.p99, 1)} ms` +
      `  µs: enclave ${at((each) => each.enclave)}, parent ${at((each) => each.parent)}` +
      `  one core of the enclave: ${core.toFixed(0)}/s (aim ${AIM})`,
  );
}
console.log(`memory of this process, door and load: ${readMemory(process.pid).resident.toFixed(0)} MB`);
