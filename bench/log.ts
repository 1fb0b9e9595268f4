/**
 * Cost of the transparency log on one core, in processor time, which a busy machine does not change much: appending to the frontier, with an inclusion proof for each entry; signing
 * checkpoints; verifying cosignatures and tlog-proofs; and the memory of a frontier after many entries.
 *
 * node bench/log.ts [--entries N] [--milliseconds N]
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  appendLeaves,
  cosignCheckpoint,
  EMPTY_FRONTIER,
  encodeFrontier,
  hashLeaf,
  parseSignatureLines,
  signCheckpoint,
  verifyCosignatures,
  verifyTlogProof,
} from '../audit/log/index.ts';
import { signingKeyFromSeed, verifyByNode } from '../audit/log/node-signatures.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    milliseconds: { type: 'string', default: '1000' },
  },
});
const MILLISECONDS = Number(values.milliseconds);
/** Of an entry, about that of a decision with a transaction. */
const ENTRY_BYTES = 1_500;

function microsecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function measure(name: string, unit: string, work: () => number): void {
  for (let warm = 0; warm < 3; warm += 1) work();
  let count = 0;
  const start = process.cpuUsage();
  while (microsecondsSince(start) < MILLISECONDS * 1000) count += work();
  const microseconds = microsecondsSince(start) / count;
  console.log(`${name}: ${microseconds.toFixed(1)} µs, ${Math.round(1e6 / microseconds)} ${unit}/s`);
}

const log = signingKeyFromSeed('node.example/log', 'ed25519', randomBytes(32));
const witnesses = [
  signingKeyFromSeed('witness.example/ed25519', 'cosignature-ed25519', randomBytes(32)),
  signingKeyFromSeed('witness.example/ml-dsa', 'cosignature-ml-dsa-44', randomBytes(32)),
];

const heapBefore = process.memoryUsage().heapUsed;
let frontier = EMPTY_FRONTIER;
const leaf = hashLeaf(randomBytes(ENTRY_BYTES));
const batch = Array.from({ length: 1_000 }, () => leaf);
const start = process.cpuUsage();
while (frontier.size < Number(values.entries)) ({ frontier } = appendLeaves(frontier, batch));
const seconds = microsecondsSince(start) / 1e6;
globalThis.gc?.();
console.log(
  `${frontier.size} leaves in batches of 1000: ${seconds.toFixed(2)} s, ${Math.round(frontier.size / seconds)} leaves/s; ` +
    `frontier ${encodeFrontier(frontier).length} bytes; heap ${((process.memoryUsage().heapUsed - heapBefore) / 2 ** 20).toFixed(1)} MiB more`,
);

for (const size of [1, 64]) {
  const entries = Array.from({ length: size }, () => randomBytes(ENTRY_BYTES));
  measure(`append with proofs and a signed checkpoint, batches of ${size}`, 'entries', () => {
    const append = appendLeaves(frontier, entries.map(hashLeaf));
    for (let index = frontier.size; index < append.frontier.size; index += 1) append.proveInclusion(index);
    signCheckpoint({ origin: 'node.example/log', size: append.frontier.size, root: append.root }, log);
    ({ frontier } = append);
    return size;
  });
}

const entry = randomBytes(ENTRY_BYTES);
const append = appendLeaves(frontier, [hashLeaf(entry)]);
const tree = { origin: 'node.example/log', size: append.frontier.size, root: append.root };
const { text, note } = signCheckpoint(tree, log);
measure('signing a checkpoint', 'checkpoints', () => {
  signCheckpoint(tree, log);
  return 1;
});
for (const witness of witnesses) {
  const line = cosignCheckpoint(witness, text, 1_700_000_000);
  measure(`verifying a cosignature, ${witness.key.type}`, 'cosignatures', () => {
    verifyCosignatures(text, parseSignatureLines(line), { keys: [witness.key], threshold: 1 }, verifyByNode);
    return 1;
  });
}
const proof = {
  index: tree.size - 1,
  inclusion: append.proveInclusion(tree.size - 1),
  checkpoint: note + witnesses.map((witness) => cosignCheckpoint(witness, text, 1_700_000_000)).join(''),
};
const policy = {
  origin: tree.origin,
  keys: [log.key],
  witnesses: { keys: witnesses.map(({ key }) => key), threshold: 2 },
};
measure('verifying a tlog-proof with a cosignature of each type', 'proofs', () => {
  verifyTlogProof(proof, hashLeaf(entry), policy, verifyByNode);
  return 1;
});
