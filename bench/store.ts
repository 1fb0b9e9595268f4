/**
 * Cost of one commit of one record for the enclave, by how many records the store has: with the index, and with a root
 * record that lists them all (root format 1), in turn. Sealing and the frame are in the figure, the parent's disk is
 * not.
 *
 * node bench/store.ts [--rounds N] [--milliseconds N]
 */
import { parseArgs } from 'node:util';
import { deriveStoreKey, type RecordStorage, SealedStore } from '../enclave/store/index.ts';
import { encodeFrame } from '../shared/frames/index.ts';
import { MAX_RECORD_BYTES, type RecordWrite } from '../shared/protocol/control.ts';
import { ListStore } from './store/list-store.ts';

const COUNTS = [1, 100, 4096, 20_000];
const BATCH = 512;
/** Maximum of a message, above the protocol's, for the list that has outgrown it. */
const MAX_BYTES = 16 * 2 ** 20;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, milliseconds: { type: 'string', default: '300' } },
});

const key = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'bench', environment: 'test', node: 1 });
const nameOf = (index: number) => `wallet-${index}`;
const makeKeys = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    table: 'keys',
    id: nameOf(from + index),
    plaintext: new Uint8Array(64),
  }));

interface Contender {
  readonly name: string;
  readonly commit: (changes: ReturnType<typeof makeKeys>) => Promise<void>;
  /** Bytes of the last commit's frame, and of its largest record. */
  readonly size: () => { frame: number; record: number };
  readonly milliseconds: number[];
}

/** Makes a wire that takes messages as far as the frame. */
function makeWire() {
  let size = { frame: 0, record: 0 };
  const send = async (writes: readonly RecordWrite[]) => {
    const frame = encodeFrame({ type: 'store-commit', writes }, MAX_BYTES).length;
    size = { frame, record: Math.max(...writes.map(({ bytes }) => bytes?.length ?? 0)) };
    await Promise.resolve();
  };
  return { send, size: () => size };
}

async function makeContenders(count: number): Promise<readonly Contender[]> {
  const [indexed, listed] = [makeWire(), makeWire()];
  const storage: RecordStorage = {
    readRecord: () => Promise.resolve(null),
    listRecords: () => Promise.resolve([]),
    commit: indexed.send,
  };
  const state = { order: 'first', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
  const store = SealedStore.create(storage, key, state, undefined);
  const list = new ListStore(key, listed.send);
  const contenders: Contender[] = [
    { name: 'index', commit: (changes) => store.commit(changes), size: indexed.size, milliseconds: [] },
    { name: 'list', commit: (changes) => list.commit(changes), size: listed.size, milliseconds: [] },
  ];
  for (const { commit } of contenders) {
    for (let from = 0; from < count; from += BATCH)
      await commit(makeKeys(from, Math.min(BATCH, count - from)));
  }
  return contenders;
}

/** Measures the processor time of one commit in milliseconds. */
async function measure({ commit }: Contender, count: number): Promise<number> {
  const start = process.cpuUsage();
  const end = performance.now() + Number(values.milliseconds);
  let commits = 0;
  do {
    await commit(makeKeys((commits * 7919) % count, 1));
    commits += 1;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / commits;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0;
}

console.log(
  `one record changed, ${values.rounds} rounds of ${values.milliseconds} ms each in turn, node ${process.version}`,
);
for (const count of COUNTS) {
  const contenders = await makeContenders(count);
  for (const one of contenders) await measure(one, count);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const one of contenders) one.milliseconds.push(await measure(one, count));
  }
  for (const { name, milliseconds, size } of contenders) {
    const { frame, record } = size();
    const mark = record > MAX_RECORD_BYTES ? '  (its root record is longer than a record may be)' : '';
    console.log(
      `${String(count).padStart(7)} records, ${name.padEnd(5)} ${median(milliseconds).toFixed(3).padStart(8)} ms  ${String(frame).padStart(9)} bytes${mark}`,
    );
  }
}
