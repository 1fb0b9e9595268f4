/**
 * One policy node: from boot to ready, what it signs a second through the whole path, and what memory it takes. The
 * enclave's process has one core to itself; the parent, the clients and the stand-ins of AWS share the other one.
 *
 * node bench/node.ts [--parts boot,load,memory] [--builds bundle,noble,source] [--rounds N] [--seconds N]
 *                    [--connections 1,16,256] [--node-options "…"] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectNode } from '../client/index.ts';
import type { SignRequest } from '../shared/api/bodies.ts';
import { measureBoot } from './node/boot-figures.ts';
import type { CeilingTask, CeilingTold } from './node/ceiling-process.ts';
import { Child } from './node/child.ts';
import { canPin, ENCLAVE_CORE, OTHER_CORE, pinSelf, startOn } from './node/cores.ts';
import { type LoadFigures, type LoadOptions, type LoadTarget, measureLoad } from './node/load-figures.ts';
import { readMemory } from './node/process-usage.ts';
import { type BenchNode, BenchStack, type Build } from './node/stack.ts';

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'boot,load,memory' },
    builds: { type: 'string', default: 'bundle,source' },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '1,16,256' },
    'node-options': { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const parts = values.parts.split(',');
const builds = values.builds.split(',') as Build[];
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = values.connections.split(',').map(Number);
const nodeOptions = values['node-options'].split(' ').filter((option) => option !== '');

const WARM_UP_SECONDS = 1.5;
const MEMORY_SETTLE_MS = 2_000;

const message = { kind: 'message', message: 'ab'.repeat(200) } as const;
const digest = { kind: 'digest', digest: 'ab'.repeat(32) } as const;
const REQUESTS: readonly SignRequest[] = [
  { key: 'ed25519', algorithm: 'ed25519', payload: message },
  { key: 'p256', algorithm: 'ecdsa-p256-sha256', payload: message },
  { key: 'p256', algorithm: 'ecdsa-p256-sha256', payload: digest },
  { key: 'secp256k1', algorithm: 'ecdsa-secp256k1', payload: digest },
  { key: 'secp256k1', algorithm: 'bip340', payload: digest },
];
const AIM = { readyMs: 300, perSecond: 2_000, megabytes: 120 };

const report: Record<string, unknown> = {};
const round1 = (value: number) => value.toFixed(1);
const cell = (text: string | number, width: number) => String(text).padStart(width);

function describeMachine(): string {
  const [cpu] = cpus();
  const pinned = canPin
    ? `enclave alone on core ${ENCLAVE_CORE}, everything else on core ${OTHER_CORE}`
    : 'not held to cores: taskset or a second core is missing';
  return `Node ${process.version} on ${cpus().length} × ${cpu?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)} before; ${pinned}`;
}

async function reportBoot(stack: BenchStack): Promise<void> {
  for (const build of builds) {
    const figures = await measureBoot(stack, build, { rounds, nodeOptions });
    report[`boot, ${build}`] = figures;
    const { parts, readyAfterKey, cpuTime } = figures;
    const { program = 0, rsaKey = 0, ...phases } = parts;
    console.log(`\nboot, ${build}: median of ${rounds} starts, milliseconds`);
    console.log(
      `  the program loads ${round1(program)}, then the boot begins: RSA key after ${round1(rsaKey)}`,
    );
    console.log(
      `  phases done after: ${Object.entries(phases)
        .map(([name, time]) => `${name} ${round1(time)}`)
        .join('  ')}`,
    );
    console.log(
      `  ready after having its RSA key ${round1(readyAfterKey.median)}, at the most ${round1(readyAfterKey.most)} (aim ${AIM.readyMs})`,
    );
    console.log(`  processor time from the process's start to ready, RSA key included: ${round1(cpuTime)}`);
  }
}

/** Attests the node as its clients do, and takes the session that their requests name. */
async function findTarget(stack: BenchStack, node: BenchNode): Promise<LoadTarget> {
  const [client] = stack.clients;
  if (client === undefined) throw new RangeError('no client');
  const connected = await connectNode({
    ...stack.trust,
    url: node.url,
    clientId: client.id,
    privateKey: client.privateKey,
  });
  const { binding } = await connected.attest();
  connected.close();
  return { url: node.url, session: binding.session, serverPid: node.enclavePid, parentPid: node.parentPid };
}

function printLoad(name: string, figures: LoadFigures, ceiling?: number): void {
  const { perSecond, p50, p99, server, parent, client, others } = figures;
  const share = ceiling === undefined ? '' : `  crypto alone ${cell(Math.round(1e6 / ceiling), 6)}/s`;
  console.log(
    `  ${name.padEnd(28)} ${cell(figures.connections, 4)}  ${cell(Math.round(perSecond), 6)}/s` +
      `  p50 ${cell(p50.toFixed(2), 7)} ms  p99 ${cell(p99.toFixed(2), 7)} ms` +
      `  µs of core: enclave ${cell(Math.round(server), 4)}, parent ${cell(Math.round(parent), 3)}, client ${cell(Math.round(client), 3)}` +
      `  one enclave core ${cell(Math.round(1e6 / server), 6)}/s${share}  others ${others.toFixed(1)} cores`,
  );
}

/**
 * Measures the ceiling just before the load that it is compared with: a machine that others use is not always as fast.
 */
async function measureCeiling(request: SignRequest): Promise<number> {
  const task: CeilingTask = { request, milliseconds: seconds * 250 };
  const loop = await startOn(ENCLAVE_CORE, async () => new Child<CeilingTold>('./ceiling-process.ts', task));
  const { microseconds } = await loop.next();
  await loop.end();
  return microseconds;
}

async function reportLoad(stack: BenchStack, build: Build): Promise<void> {
  const common: Omit<LoadOptions, 'connections'> = {
    clients: stack.clients.map(({ id, privateKey }) => ({
      id,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    })),
    seconds,
    warmUpSeconds: WARM_UP_SECONDS,
  };
  console.log(`\nload, ${build}: ${seconds} s each, connections with one request under way each`);
  const [first] = REQUESTS;
  if (first === undefined) throw new RangeError('expected a request to ask for');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-floor-'));
  const floor = await stack.startFloor(folder);
  const floors: LoadFigures[] = [];
  for (const count of connections) {
    const figures = await measureLoad(
      { ...floor, session: '00'.repeat(16) },
      first,
      { ...common, connections: count },
      false,
    );
    floors.push(figures);
    printLoad('floor: node:https, no work', figures);
  }
  await floor.stop();
  await rm(folder, { recursive: true });
  const node = await stack.start(build, nodeOptions);
  const target = await findTarget(stack, node);
  const rows: object[] = [];
  const ofEd25519 = new Map<number, number>();
  for (const request of REQUESTS) {
    const ceiling = await measureCeiling(request);
    for (const count of connections) {
      const figures = await measureLoad(target, request, { ...common, connections: count }, true);
      rows.push({ algorithm: request.algorithm, payload: request.payload.kind, ceiling, ...figures });
      printLoad(`${request.algorithm}, ${request.payload.kind}`, figures, ceiling);
      if (request.algorithm === 'ed25519') ofEd25519.set(count, figures.server);
      const share = (ofEd25519.get(count) ?? Number.NaN) / figures.server;
      console.log(`    ${share.toFixed(2)} of Ed25519's rate on the enclave's core (aim 0.8)`);
    }
  }
  console.log(`  (aim ${AIM.perSecond} signatures a second of Ed25519 or P-256 on one core)`);
  report[`load, ${build}`] = { build, floors, rows };
  report[`memory after load, ${build}`] = printMemory(`${build} after that load`, node);
  await node.stop();
}

function printMemory(name: string, node: BenchNode): object {
  const enclave = readMemory(node.enclavePid);
  const parent = readMemory(node.parentPid);
  for (const [process, { resident, peak, anonymous, file }] of [
    ['enclave', enclave],
    ['parent', parent],
  ] as const) {
    console.log(
      `  ${name.padEnd(24)} ${process.padEnd(7)} ${cell(round1(resident), 6)} MB resident (peak ${round1(peak)}): ${round1(anonymous)} its own, ${round1(file)} of files`,
    );
  }
  return { enclave, parent };
}

async function reportMemory(stack: BenchStack): Promise<void> {
  console.log(`\nmemory when ready (aim: enclave under ${AIM.megabytes} MB)`);
  for (const build of builds) {
    const node = await stack.start(build, nodeOptions);
    await new Promise((resolve) => setTimeout(resolve, MEMORY_SETTLE_MS));
    report[`memory, ${build}`] = printMemory(build, node);
    await node.stop();
  }
}

pinSelf(OTHER_CORE);
console.log(describeMachine());
const stack = await BenchStack.open();
try {
  if (parts.includes('boot')) await reportBoot(stack);
  if (parts.includes('memory')) await reportMemory(stack);
  if (parts.includes('load')) {
    // The source is what tests run, and gets no load unless it alone is asked for.
    const loaded = builds.filter((build) => build !== 'source' || builds.length === 1);
    for (const build of loaded) await reportLoad(stack, build);
  }
} finally {
  await stack.close();
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
