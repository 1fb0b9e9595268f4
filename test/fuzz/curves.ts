/**
 * Holds the addon's curves against noble's, by hand: keys and digests from a seed, some at the edges of the range.
 *
 * node test/fuzz/curves.ts [--cases N] [--seed TEXT]     exits with 1 at the first difference
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createNativeCurves } from '../../enclave/keys/index.ts';
import { createNobleCurves } from '../../local/noble-curves.ts';
import { loadNative } from '../../shared/native/addon.ts';
import { runCase } from './curve-comparison.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: randomBytes(8).toString('hex') },
  },
});
const native = createNativeCurves(loadNative());
const noble = createNobleCurves();
const cases = Number(values.cases);
const say = (line: string) => process.stdout.write(`${line}\n`);

for (let number = 0; number < cases; number += 1) {
  const [actual, expected] = [native, noble].map((curves) => runCase(curves, values.seed, number));
  if (actual !== expected) {
    say(`case ${number} of seed ${values.seed}: the addon ${actual}, noble ${expected}`);
    process.exit(1);
  }
  if ((number + 1) % 50_000 === 0) say(`${number + 1} cases of seed ${values.seed}: the same`);
}
say(`${cases} cases of seed ${values.seed}: the same`);
