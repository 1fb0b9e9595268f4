/**
 * Holds the reader of PSBTs against rust-bitcoin, psbt-v2 and scure, by hand: PSBTs that scure wrote, most of them changed.
 * What is taken the others must take, and read alike; what scure wrote must be taken.
 *
 * node test/fuzz/psbt.ts [--cases N] [--seed TEXT]     exits with 1 where a reading differs
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { bytesToHex } from '@noble/hashes/utils.js';
import { findPsbtReader } from '../policy/transactions/bitcoin/psbt-reader.ts';
import { compareWithRust, compareWithScure, drawCase, readCase } from './psbt-comparison.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: randomBytes(8).toString('hex') },
  },
});
const BATCH = 2000;
const cases = Number(values.cases);
const reader = findPsbtReader();
const counts = new Map<string, number>();
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
const say = (line: string) => process.stdout.write(`${line}\n`);
let differences = 0;

for (let start = 0; start < cases; start += BATCH) {
  const taken = [];
  for (let number = start; number < Math.min(cases, start + BATCH); number += 1) {
    const one = drawCase(values.seed, number);
    const result = readCase(one);
    if (typeof result === 'string') count(`${one.isOriginal ? 'unchanged' : 'changed'}, refused: ${result}`);
    else taken.push({ number, one, result });
    if (typeof result === 'string' && one.isOriginal) report(number, one.psbt, `refused: ${result}`);
  }
  const readings = reader?.read(taken.map(({ one }) => one.psbt)) ?? [];
  for (const [index, { number, one, result }] of taken.entries()) {
    count(`${one.isOriginal ? 'unchanged' : 'changed'}, taken`);
    const reading = readings[index];
    const isUnknown = result.transaction.features.includes('bitcoin:unknown-field');
    const differing = [
      reading === undefined ? undefined : compareWithRust(result, reading),
      compareWithScure(one, result),
    ];
    for (const [peer, difference] of [
      ['rust', differing[0]],
      ['scure', differing[1]],
    ] as const) {
      if (difference?.startsWith('refused'))
        count(`${isUnknown ? 'taken with unknown fields' : 'taken'}, ${peer} ${difference.slice(0, 110)}`);
      else if (difference !== undefined) report(number, one.psbt, difference);
    }
  }
  say(`${Math.min(cases, start + BATCH)} cases of seed ${values.seed}: ${differences} differences`);
}
for (const [what, number] of [...counts].toSorted(([left], [right]) => left.localeCompare(right)))
  say(`${String(number).padStart(8)} ${what}`);
process.exitCode = differences > 0 ? 1 : 0;

function report(number: number, psbt: Uint8Array, what: string): void {
  differences += 1;
  if (differences <= 10) say(`case ${number} of seed ${values.seed}: ${what}\n${bytesToHex(psbt)}`);
}
