/**
 * Holds the decoder of Tezos operations against taquito's, by hand: operations from a seed, forged and then altered.
 *
 * node test/fuzz/tezos.ts [--cases N] [--seed TEXT]     exits with 1 at the first difference
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runCase } from './tezos-comparison.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: randomBytes(8).toString('hex') },
  },
});
const cases = Number(values.cases);
const outcomes = new Map<string, number>();
const say = (line: string) => process.stdout.write(`${line}\n`);
const counted = () =>
  [...outcomes.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');

for (let number = 0; number < cases; number += 1) {
  const { outcome, fault } = await runCase(values.seed, number);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (fault !== undefined) {
    say(`case ${number} of seed ${values.seed}: ${fault}`);
    process.exit(1);
  }
  if ((number + 1) % 20_000 === 0) say(`${number + 1} cases of seed ${values.seed}: ${counted()}`);
}
say(`${cases} cases of seed ${values.seed}, no difference; altered bytes: ${counted()}`);
