import { describe, expect, it } from 'vitest';
import {
  clearDealer,
  commit,
  createGenerationTerms,
  createRepairTerms,
  createReshareTerms,
  dealGroup,
  dealTo,
  finishDealing,
  nobleSuites,
  type RandomSource,
  signShare,
  startDealing,
  startRepair,
  verifyPackages,
} from '../../../shared/frost/index.ts';
import { computeLagrangeCoefficient } from '../../../shared/frost/polynomial.ts';
import { listCleared } from '../../support/clearing.ts';
import {
  CONTEXT,
  generate,
  MESSAGE,
  refusal,
  seededRandom,
  shareOf,
  startAll,
  toHex,
  TYPES,
} from './support.ts';

describe.each(TYPES)('secrets of %s', (type) => {
  const suite = nobleSuites[type];
  const { scalars } = suite.group;
  const random = seededRandom(`clearing/${type}`);
  const holders = generate(type, 2, [1, 2, 3], random);
  const { group } = holders;

  /** Randomness whose every output is kept, as it was. */
  function recorded(): { random: RandomSource; drawn: string[] } {
    const drawn: string[] = [];
    return {
      drawn,
      random(length) {
        const bytes = random(length);
        drawn.push(toHex(bytes));
        return bytes;
      },
    };
  }

  it('are cleared when nonces are made: what they were drawn from', () => {
    const source = recorded();
    const cleared = listCleared(() => commit(suite, 1, shareOf(holders, 1), source.random));
    expect(source.drawn).toHaveLength(2);
    expect(cleared).toEqual(expect.arrayContaining(source.drawn));
  });

  it('are cleared when a share signs, and when it refuses: the nonces and what hides the share', () => {
    for (const isRefused of [false, true]) {
      const share = shareOf(holders, 1);
      const nonces = commit(suite, 1, share, random);
      const other = commit(suite, 2, shareOf(holders, 2), random);
      const list = isRefused ? [nonces.commitments] : [nonces.commitments, other.commitments];
      const before = [toHex(nonces.hiding), toHex(nonces.binding)];
      const cleared = listCleared(() =>
        refusal(() => signShare({ group, participant: 1, share }, nonces, list, MESSAGE)),
      );
      expect(cleared).toEqual(expect.arrayContaining(before));
      // Besides: the bound nonce, their sum, the weighted share.
      expect(cleared.length).toBeGreaterThanOrEqual(isRefused ? 2 : 5);
    }
  });

  it('are cleared when a polynomial is dealt: its randomness at once, its coefficients at the end', () => {
    const terms = createGenerationTerms(suite, { threshold: 2, signers: [1, 2] }, CONTEXT);
    const source = recorded();
    let dealer = startDealing(terms, 1, source.random);
    const cleared = listCleared(() => {
      dealer = startDealing(terms, 1, source.random);
    });
    expect(cleared).toEqual(expect.arrayContaining(source.drawn.slice(3)));
    const coefficients = dealer.coefficients.map((each) => toHex(each));
    expect(listCleared(() => clearDealer(dealer))).toEqual(coefficients);
    expect(dealer.coefficients.every((each) => scalars.isZero(each))).toBe(true);
  });

  it('are cleared when a dealer forgets a key that it split', () => {
    const source = recorded();
    const quorum = { epoch: 0, threshold: 3, signers: [1, 2, 3] };
    const cleared = listCleared(() => dealGroup(suite, quorum, source.random));
    const coefficients = source.drawn.map((each) => toHex(scalars.reduce(Buffer.from(each, 'hex'))));
    expect(cleared).toEqual(expect.arrayContaining([...source.drawn, ...coefficients]));
  });

  it('are cleared when a receiver adds parts up: the weighted parts, and a share that is wrong', () => {
    const terms = createReshareTerms(group, [1, 2], { threshold: 2, signers: [2, 3] }, CONTEXT);
    const dealers = startAll(terms, random, holders);
    const verified = verifyPackages(
      terms,
      dealers.map((dealer) => dealer.package),
    );
    const parts = dealers.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, 3) }));
    const weighted = parts.map(({ sender, value }) =>
      toHex(scalars.multiply(computeLagrangeCoefficient(scalars, [1, 2], sender), value)),
    );
    expect(listCleared(() => finishDealing(verified, 3, parts))).toEqual(expect.arrayContaining(weighted));
    const wrong = parts.map((part) => ({ ...part, value: scalars.fromNumber(9) }));
    const sum = [1, 2].reduce(
      (total, sender) =>
        scalars.add(
          total,
          scalars.multiply(computeLagrangeCoefficient(scalars, [1, 2], sender), scalars.fromNumber(9)),
        ),
      scalars.fromNumber(0),
    );
    expect(listCleared(() => refusal(() => finishDealing(verified, 3, wrong)))).toContain(toHex(sum));
  });

  it('are cleared when a helper splits its share: the weighted share', () => {
    const terms = createRepairTerms(group, [1, 3], 2, CONTEXT);
    const weight = computeLagrangeCoefficient(scalars, [1, 3], 1, 2);
    const contribution = toHex(scalars.multiply(weight, shareOf(holders, 1)));
    expect(listCleared(() => startRepair(terms, 1, shareOf(holders, 1), random))).toContain(contribution);
  });
});
