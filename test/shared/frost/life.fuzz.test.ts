import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { ShareType } from '../../../shared/algorithms.ts';
import { computeLagrangeCoefficient } from '../../../shared/frost/polynomial.ts';
import { assertShare, enrolSigner, nobleSuites, verifySignature } from '../../../shared/frost/index.ts';
import {
  generate,
  type Holders,
  MESSAGE,
  refresh,
  refusal,
  repair,
  reshare,
  seededRandom,
  shareOf,
  sign,
  toHex,
  TYPES,
} from './support.ts';

/** A fixed seed replays a failure; without it each run takes another, which a failure prints. */
const SEED = process.env['FROST_SEED'] ?? randomBytes(8).toString('hex');
const RUNS = 4;
const STEPS = 5;
const MAX_NUMBER = 9;

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`\nFROST_SEED=${SEED}\n`);
});

/** Draws numbers and subsets from a seed. */
function draws(seed: string) {
  const random = seededRandom(`${seed}/choices`);
  const below = (limit: number) => Buffer.from(random(4)).readUInt32BE() % limit;
  const some = (from: readonly number[], count: number) => {
    const left = [...from];
    const taken = Array.from({ length: count }, () => left.splice(below(left.length), 1)[0] ?? 0);
    return taken.toSorted((a, b) => a - b);
  };
  return { below, some };
}

const ALL = Array.from({ length: MAX_NUMBER }, (_, index) => index + 1);

describe.each(TYPES)('a key of %s', (type) => {
  it.each(Array.from({ length: RUNS }, (_, run) => run))(
    'is signed with by any quorum after any chain of refresh, reshare, repair and enrolment (run %i)',
    (run) => {
      const seed = `${SEED}/${type}/${run}`;
      const random = seededRandom(seed);
      const { below, some } = draws(seed);
      const count = 2 + below(4);
      let holders = generate(type, 2 + below(count - 1), some(ALL, count), random);
      const key = toHex(holders.group.commitments[0] ?? MESSAGE);
      const former: Holders[] = [];
      for (let step = 0; step < STEPS; step += 1) {
        const next = change(holders, below, some, random);
        if (next.group.epoch !== holders.group.epoch) former.push(holders);
        holders = next;
        assertWorks(type, holders, key, some, random);
      }
      for (const old of former) assertNeverMixes(old, holders, random);
      expect(toHex(holders.group.commitments[0] ?? MESSAGE)).toBe(key);
    },
  );
});

function change(
  old: Holders,
  below: (limit: number) => number,
  some: (from: readonly number[], count: number) => number[],
  random: (length: number) => Uint8Array,
): Holders {
  const { group } = old;
  const { signers, threshold } = group;
  const quorum = () => some(signers, threshold + below(signers.length - threshold + 1));
  switch (below(4)) {
    case 0:
      return refresh(old, random, quorum());
    case 1: {
      const count = 2 + below(4);
      return reshare(old, quorum(), { threshold: 2 + below(count - 1), signers: some(ALL, count) }, random);
    }
    case 2: {
      if (signers.length === threshold) return refresh(old, random);
      const [target = 0] = some(signers, 1);
      const helpers = some(
        signers.filter((signer) => signer !== target),
        threshold,
      );
      const repaired = repair(old, helpers, target, random);
      expect(toHex(repaired)).toBe(toHex(shareOf(old, target)));
      return { group, shares: new Map([...old.shares, [target, repaired]]) };
    }
    default: {
      const outside = ALL.filter((number) => !signers.includes(number));
      if (outside.length === 0) return refresh(old, random);
      const [target = 0] = some(outside, 1);
      const share = repair(old, quorum(), target, random);
      return { group: enrolSigner(group, target), shares: new Map([...old.shares, [target, share]]) };
    }
  }
}

function assertWorks(
  type: ShareType,
  { group, shares }: Holders,
  key: string,
  some: (from: readonly number[], count: number) => number[],
  random: (length: number) => Uint8Array,
): void {
  expect(toHex(group.commitments[0] ?? MESSAGE)).toBe(key);
  for (const [signer, share] of shares) assertShare(group, signer, share);
  const quorum = some(group.signers, group.threshold);
  const signature = sign(group, shares, quorum, random);
  expect(verifySignature(nobleSuites[type], Buffer.from(key, 'hex'), MESSAGE, signature)).toBe(true);
  expect(refusal(() => sign(group, shares, quorum.slice(1), random))).toBe('PARTICIPANTS_INVALID');
}

/** Signers with shares of an earlier epoch are all named, whoever else signs, unless their errors cancel. */
function assertNeverMixes(old: Holders, now: Holders, random: (length: number) => Uint8Array): void {
  const both = old.group.signers.filter((signer) => now.group.signers.includes(signer));
  const stale = both.filter((signer) => toHex(shareOf(old, signer)) !== toHex(shareOf(now, signer)));
  const [first] = stale;
  if (first === undefined) return;
  const mixed = new Map([...now.shares, [first, shareOf(old, first)]]);
  const others = now.group.signers.filter((signer) => signer !== first).slice(0, now.group.threshold - 1);
  const quorum = [first, ...others].toSorted((a, b) => a - b);
  expect(refusal(() => sign(now.group, mixed, quorum, random))).toBe(`SIGNATURE_SHARES_INVALID ${first}`);
  // A whole quorum of old shares signs for ever, which their deletion alone prevents: one of the signers is of today.
  const everybody = now.group.signers;
  const most = stale.length === everybody.length ? stale.slice(1) : stale;
  const all = new Map([...now.shares, ...most.map((signer) => [signer, shareOf(old, signer)] as const)]);
  // Of some sets of numbers the errors of several cancel: these shares make a signature of the key, as any others do.
  const cancel = interpolate(now.group, all) === interpolate(now.group, now.shares);
  expect(refusal(() => sign(now.group, all, everybody, random))).toBe(
    cancel ? 'none' : `SIGNATURE_SHARES_INVALID ${most.join(',')}`,
  );
}

/** The value at 0 of the polynomial through the shares of all signers, in hex. */
function interpolate(
  { suite: { group }, signers }: Holders['group'],
  shares: ReadonlyMap<number, Uint8Array>,
): string {
  const { scalars } = group;
  let sum: Uint8Array = scalars.fromNumber(0);
  for (const signer of signers) {
    const weight = computeLagrangeCoefficient(scalars, signers, signer);
    sum = scalars.add(sum, scalars.multiply(weight, shares.get(signer) ?? new Uint8Array()));
  }
  return toHex(sum);
}
