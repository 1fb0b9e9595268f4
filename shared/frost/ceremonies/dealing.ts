import { ThresholdError } from '../errors.ts';
import { assertShare } from '../frost-group.ts';
import { drawScalar, evaluate } from '../polynomial.ts';
import { type RandomSource } from '../secrets.ts';
import { type CeremonyPackage } from './package.ts';
import { coefficientChallenge, generationChallenge, prove } from './proofs.ts';
import { type DealingTerms } from './terms.ts';

/** A dealer's secret polynomial, until its last value is sent. */
export interface Dealer {
  readonly terms: DealingTerms;
  readonly participant: number;
  readonly coefficients: readonly Uint8Array[];
  /** What the dealer sends to everybody. */
  readonly package: CeremonyPackage;
}

/**
 * Draws a dealer's polynomial and makes its package: the first round of generation (FROST paper, figure 1), refresh
 * (Herzberg et al. 1995: the constant term is 0) or reshare (Desmedt-Jajodia 1997: the constant term is the share).
 *
 * @param share the dealer's share of `terms.base`, for a reshare alone
 * @throws ThresholdError PARTICIPANTS_INVALID for one who is no dealer; GROUP_SHARE_INVALID
 */
export function startDealing(
  terms: DealingTerms,
  participant: number,
  random: RandomSource,
  share?: Uint8Array,
): Dealer {
  const { kind, suite, base, threshold, digest } = terms;
  const { group } = suite;
  if (!terms.dealers.includes(participant))
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a dealer of the ceremony', [participant]);
  const coefficients = [
    drawConstantTerm(terms, participant, random, share),
    ...Array.from({ length: threshold - 1 }, () => drawScalar(group, random)),
  ];
  const elements = coefficients.map((secret) => group.multiplyBase(secret));
  const proofs = coefficients.flatMap((secret, index) => {
    const element = elements[index];
    const isProved = kind === 'generate' ? index === 0 : index > 0;
    if (!isProved || element === undefined) return [];
    const challenge =
      kind === 'generate'
        ? generationChallenge(suite, participant)
        : coefficientChallenge(suite, digest, participant, index);
    return [prove(suite, challenge, { secret, element }, random)];
  });
  const sent = base !== undefined && kind === 'refresh' ? elements.slice(1) : elements;
  return {
    terms,
    participant,
    coefficients,
    package: {
      kind,
      sender: participant,
      terms: digest,
      commitments: sent.map((element) => group.encode(element)),
      proofs,
    },
  };
}

function drawConstantTerm(
  { kind, suite, base }: DealingTerms,
  participant: number,
  random: RandomSource,
  share: Uint8Array | undefined,
): Uint8Array {
  if ((kind === 'reshare') !== (share !== undefined))
    throw new TypeError('expected the share of a dealer for a reshare, and none otherwise');
  if (share === undefined || base === undefined)
    return kind === 'generate' ? drawScalar(suite.group, random) : suite.group.scalars.fromNumber(0);
  assertShare(base, participant, share);
  return Uint8Array.from(share);
}

/**
 * Computes what a dealer sends to one receiver alone, encrypted, its own part among them: the second round. The caller
 * clears the result.
 *
 * @throws ThresholdError PARTICIPANTS_INVALID for one who receives nothing
 */
export function dealTo({ terms, coefficients }: Dealer, receiver: number): Uint8Array<ArrayBuffer> {
  if (!terms.receivers.includes(receiver))
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a receiver of the ceremony', [receiver]);
  return evaluate(terms.suite.group.scalars, coefficients, receiver);
}

/** Clears a dealer's polynomial. */
export function clearDealer({ coefficients }: Dealer): void {
  for (const coefficient of coefficients) coefficient.fill(0);
}
