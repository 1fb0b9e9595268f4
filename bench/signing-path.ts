/**
 * Signatures a second through the whole path on one machine: a client with the project's own library, the parent that
 * forwards, TLS that ends in the enclave's process, the request's signature, the policy, the signature. Enclave and
 * client are one thread each; the parent shares the main thread with this file, which does nothing else meanwhile.
 *
 * node bench/signing-path.ts [--seconds N] [--connections 1,16,256] [--json]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { parsePcrFile } from '../attestation/index.ts';
import { X509Certificate } from 'node:crypto';
import { bringUp, type LocalNode } from '../local/world/index.ts';
import type { SignRequest } from '../shared/node/api.ts';
import type { Configuration } from '../shared/node/configuration.ts';
import { type Load, type LoadResult, MEASURING } from './signing-load.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '1,16,256' },
    json: { type: 'boolean', default: false },
  },
});
const CLIENT = 'backend';
const WARM_UP_MS = 2_000;
const TICK_MS = 10; // Of /proc/PID/stat: USER_HZ is 100 on Linux.

const KEYS: Configuration['keys'] = [
  { id: 'ed25519', type: 'ed25519' },
  { id: 'p256', type: 'p256' },
  { id: 'secp256k1', type: 'secp256k1' },
];
const RULES: Configuration['rules'] = [
  {
    id: 'all',
    operations: ['sign'],
    clients: [CLIENT],
    keys: KEYS.map(({ id }) => id),
    algorithms: ['ed25519', 'ecdsa-p256-sha256', 'ecdsa-secp256k1', 'bip340'],
    payloads: ['message', 'digest', 'taproot-sighash'],
    rate: null,
  },
];
const message = { kind: 'message', message: 'ab'.repeat(200) } as const;
const digest = { kind: 'digest', digest: 'ab'.repeat(32) } as const;
const REQUESTS: readonly SignRequest[] = [
  { key: 'ed25519', algorithm: 'ed25519', payload: message },
  { key: 'p256', algorithm: 'ecdsa-p256-sha256', payload: message },
  { key: 'p256', algorithm: 'ecdsa-p256-sha256', payload: digest },
  { key: 'secp256k1', algorithm: 'ecdsa-secp256k1', payload: digest },
  { key: 'secp256k1', algorithm: 'bip340', payload: digest },
];

/** Milliseconds that a process has spent on a processor so far. */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function residentMegabytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

async function measure(local: LocalNode, request: SignRequest, connections: number) {
  const { files, node } = local;
  const { pid } = node.enclave;
  const load: Load = {
    url: node.url,
    trust: {
      root: new Uint8Array(new X509Certificate(readFileSync(files.root)).raw),
      pcrs: parsePcrFile(readFileSync(files.pcrs)),
      manifest: readFileSync(files.manifest),
    },
    clientId: CLIENT,
    privateKey: readFileSync(files.clientKey, 'utf8'),
    request,
    connections,
    milliseconds: Number(values.seconds) * 1000,
    warmUpMs: WARM_UP_MS,
  };
  const worker = new Worker(new URL('./signing-load.ts', import.meta.url), { workerData: load });
  let before = 0;
  const result = await new Promise<LoadResult & { cpu: number }>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (told: typeof MEASURING | LoadResult) => {
      if (told === MEASURING) before = cpuTime(pid);
      else resolve({ ...told, cpu: cpuTime(pid) - before });
    });
  });
  const { count, milliseconds, latencies, cpu } = result;
  const percentile = (share: number) =>
    Number((latencies[Math.floor(share * (latencies.length - 1))] ?? 0).toFixed(2));
  return {
    algorithm: request.algorithm,
    payload: request.payload.kind,
    connections,
    perSecond: Math.round((count / milliseconds) * 1000),
    p50: percentile(0.5),
    p99: percentile(0.99),
    /** What one core of the enclave could do if it waited for nothing. */
    perEnclaveCoreSecond: Math.round((count / cpu) * 1000),
    enclaveMegabytes: residentMegabytes(pid),
  };
}

const stateDirectory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
const local = await bringUp({ stateDirectory, port: 0, clientId: CLIENT, keys: KEYS, rules: RULES });
try {
  const rows = [];
  for (const request of REQUESTS) {
    for (const connections of values.connections.split(',').map(Number)) {
      const row = await measure(local, request, connections);
      rows.push(row);
      if (!values.json) {
        const { algorithm, payload, perSecond, p50, p99, perEnclaveCoreSecond, enclaveMegabytes } = row;
        console.log(
          `${`${algorithm}, ${payload}`.padEnd(30)} ${String(connections).padStart(4)} connections ` +
            `${String(perSecond).padStart(6)}/s  p50 ${p50.toFixed(2).padStart(7)} ms  p99 ${p99.toFixed(2).padStart(7)} ms  ` +
            `${String(perEnclaveCoreSecond).padStart(6)}/s of enclave core  ${enclaveMegabytes} MB`,
        );
      }
    }
  }
  if (values.json) console.log(JSON.stringify(rows, undefined, 2));
} finally {
  await local.stop();
  await rm(stateDirectory, { recursive: true, force: true });
}
