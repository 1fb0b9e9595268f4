/**
 * Holds the decoder of Ethereum against go-ethereum's own types, and that of typed data against ethers and viem too, by
 * hand: drawn transactions and documents, as they are and changed.
 *
 * node test/fuzz/ethereum.ts [--cases N] [--seed N]     exits with 1 at the first difference, with 2 without go-ethereum
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  type Agreement,
  compareDocument,
  compareTransaction,
} from '../policy/transactions/ethereum/comparison.ts';
import {
  askGeth,
  findGeth,
  type GethRequest,
  type GethResponse,
} from '../policy/transactions/ethereum/peers/geth-peer.ts';
import { changeDocument, drawDocument } from '../policy/transactions/ethereum/random-documents.ts';
import { createRandomSource } from '../policy/transactions/ethereum/random-source.ts';
import {
  changeByte,
  drawTransaction,
  encodeOddly,
} from '../policy/transactions/ethereum/random-transactions.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
const seed = Number(values.seed);
const say = (line: string) => process.stdout.write(`${line}\n`);
const geth = findGeth() ?? process.exit(2);

interface Case {
  readonly name: string;
  readonly request: GethRequest;
  readonly compare: (response: GethResponse) => Agreement;
}

const BATCH = 2000;
const counts = new Map<string, number>();

function drawCase(number: number): Case {
  const random = createRandomSource(seed + number);
  if (random.once(4)) {
    const drawn = drawDocument(random);
    const name = random.once(2) ? 'documents' : 'changed documents';
    const document = name === 'documents' ? drawn : changeDocument(drawn, random);
    const request = { kind: 'typed-data', document: JSON.stringify(document) } as const;
    return { name, request, compare: (response) => compareDocument(document, response) };
  }
  const drawn = drawTransaction(random);
  const [name, change] = random.pick([
    ['transactions', (bytes: string) => bytes],
    ['transactions with a byte changed', (bytes: string) => changeByte(bytes, random)],
    ['transactions encoded oddly', (bytes: string) => encodeOddly(bytes, random)],
  ] as const);
  const bytes = change(drawn);
  return {
    name,
    request: { kind: 'transaction', bytes },
    compare: (response) => compareTransaction(bytes, response),
  };
}

const cases = Number(values.cases);
for (let start = 0; start < cases; start += BATCH) {
  const batch = Array.from({ length: Math.min(BATCH, cases - start) }, (_, index) => drawCase(start + index));
  const responses = askGeth(
    geth,
    batch.map(({ request }) => request),
  );
  for (const [index, { name, compare }] of batch.entries()) {
    try {
      const key = `${name}: ${compare(responses[index] ?? {})}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    } catch (error) {
      say(`case ${start + index} of seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      process.exit(1);
    }
  }
  if ((start / BATCH) % 10 === 9) say(`${start + batch.length} cases of seed ${seed}`);
}
for (const [key, count] of counts) say(`${count} ${key}`);
say(`${cases} cases of seed ${seed}: no difference`);
