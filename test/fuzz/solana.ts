/**
 * Holds our reading of Solana messages against @solana/kit's, and Agave's and solders' where scripts/solana-reader.sh has
 * made them, by hand: drawn messages, and those of other libraries with a byte altered, put in or left out.
 *
 * node test/fuzz/solana.ts [--seconds N] [--seed N]     exits with 1 at the first difference
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { findDifference } from '../policy/transactions/solana/compare-readings.ts';
import { drawnMessages, mutated } from '../policy/transactions/solana/drawn.ts';
import { findReader, isRefusal, readOurs } from '../policy/transactions/solana/peers/readers.ts';
import { VECTORS } from '../policy/transactions/solana/support.ts';

const BATCH = 5000;
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const [agave, solders] = [findReader('agave'), findReader('solders')];
const vectors = VECTORS.map(({ message }): Uint8Array => Buffer.from(message, 'hex'));
const once = mutated(fc.oneof(fc.constantFrom(...vectors), drawnMessages));
const messages = fc.oneof(drawnMessages, once, mutated(once));

const end = performance.now() + Number(values.seconds) * 1000;
let [count, taken] = [0, 0];
for (let seed = Number(values.seed); performance.now() < end; seed += 1) {
  const batch = fc.sample(messages, { numRuns: BATCH, seed });
  const [theirs, others] = [agave?.(batch), solders?.(batch)];
  for (const [index, message] of batch.entries()) {
    const difference = findDifference(message, theirs?.[index], others?.[index]);
    if (difference !== undefined) {
      say(`seed ${seed}: ${difference}: ${Buffer.from(message).toString('hex')}`);
      process.exit(1);
    }
    if (!isRefusal(readOurs(message))) taken += 1;
  }
  count += batch.length;
}
say(`${count} messages from seed ${values.seed}, ${taken} of them taken: read alike`);
