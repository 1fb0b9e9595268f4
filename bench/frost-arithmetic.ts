/**
 * Arithmetic of threshold signatures for one participant, in milliseconds of processor time: shared/frost over the addon
 * and over noble, noble's own FROST, the Zcash Foundation's crates natively; in one run, in turn, the median of the rounds.
 *
 * node bench/frost-arithmetic.ts [--rounds N] [--count N] [--suite ed25519|taproot] [--json]
 */
import { parseArgs } from 'node:util';
import { createNativeGroups } from '../shared/frost/groups/native-groups.ts';
import { nobleGroups } from '../shared/frost/groups/noble-groups.ts';
import { loadNative } from '../shared/native/addon.ts';
import { type Contestant, STEPS, type SuiteName, type Times } from './frost/contestant.ts';
import { noble } from './frost/noble.ts';
import { createOurs } from './frost/ours.ts';
import { openZf } from './frost/zf.ts';
import { median } from './node/statistics.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    count: { type: 'string', default: '40' },
    suite: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const QUORUMS = [
  [2, 3],
  [3, 5],
  [5, 9],
] as const;
const SUITES: readonly SuiteName[] = ['ed25519', 'taproot'];
/** Greatest ratios that are aimed at, for signing and aggregating 2-of-3: to noble, and to ZF native. */
const AIMS = { ed25519: { noble: 1 / 12, zf: 2.5 }, taproot: { noble: 1 / 5, zf: 2.5 } } as const;

const zf = openZf();
if (zf === undefined) console.log('ZF native is left out: there is no cargo on this machine, or no registry');
const ours = createOurs('ours', createNativeGroups(loadNative()));
const contestants: readonly Contestant[] = [
  ours,
  createOurs('ours, noble', nobleGroups),
  noble,
  ...(zf === undefined ? [] : [zf]),
];

function timeAll(suite: SuiteName, threshold: number, participants: number): Map<string, Times> {
  const rounds = new Map<string, Times[]>(contestants.map(({ name }) => [name, []]));
  // The first round warms up.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    for (const contestant of contestants) {
      const times = contestant.time(suite, threshold, participants, Number(values.count));
      if (round > 0) rounds.get(contestant.name)?.push(times);
    }
  }
  return new Map(
    [...rounds].map(([name, list]) => [
      name,
      Object.fromEntries(STEPS.map((step) => [step, median(list.map((times) => times[step]))])) as Times,
    ]),
  );
}

const results = [];
for (const suite of SUITES.filter((name) => values.suite === undefined || name === values.suite)) {
  for (const [threshold, participants] of QUORUMS) {
    const medians = timeAll(suite, threshold, participants);
    results.push({ suite, threshold, participants, microseconds: Object.fromEntries(medians) });
    if (values.json) continue;
    console.log(`\n${suite} ${threshold}-of-${participants}${' '.repeat(12)}${STEPS.join('     ')}`);
    for (const [name, times] of medians) {
      const columns = STEPS.map((step) => (times[step] / 1000).toFixed(3).padStart(9));
      console.log(name.padEnd(20) + columns.join(''));
    }
    const [own, before, peer] = [ours, noble, zf].map((each) => medians.get(each?.name ?? ''));
    for (const step of STEPS) {
      const toNoble = (before?.[step] ?? Number.NaN) / (own?.[step] ?? Number.NaN);
      const toZf = (own?.[step] ?? Number.NaN) / (peer?.[step] ?? Number.NaN);
      const isAim = participants === 3 && (step === 'sign' || step === 'aggregate');
      const aims = isAim ? ` (aims: ${1 / AIMS[suite].noble}, at most ${AIMS[suite].zf})` : '';
      console.log(
        `  ${step}: noble takes ${toNoble.toFixed(1)} times ours; ours ${toZf.toFixed(2)} times ZF${aims}`,
      );
    }
  }
}
if (values.json) console.log(JSON.stringify(results, null, 2));
