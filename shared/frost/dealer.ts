import { ThresholdError } from './errors.ts';
import { assertQuorum, type DecodedGroup, encodeGroup } from './frost-group.ts';
import { drawScalar, evaluate } from './polynomial.ts';
import { type RandomSource, withSecrets } from './secrets.ts';
import { type Suite } from './suites/suite.ts';

/** A group and all its shares, by the number of their holder. The caller clears the shares. */
export interface DealtShares {
  readonly group: DecodedGroup;
  readonly shares: ReadonlyMap<number, Uint8Array>;
}

/**
 * Deals a key's shares, with commitments by which each holder verifies its own: RFC 9591, appendix C. Whoever runs this
 * knows the whole key. The caller clears `secret`.
 *
 * @param quorum the group to make: its epoch, threshold and signers
 * @param secret an existing key, as a scalar of 32 bytes; without it, one is drawn
 * @throws ThresholdError GROUP_INVALID; GROUP_SHARE_INVALID for a secret that is no scalar or zero
 */
export function dealGroup(
  suite: Suite,
  quorum: Pick<DecodedGroup, 'epoch' | 'threshold' | 'signers'>,
  random: RandomSource,
  secret?: Uint8Array,
): DealtShares {
  const { group } = suite;
  const { scalars } = group;
  assertQuorum(quorum.threshold, quorum.signers);
  if (secret !== undefined && (!scalars.isCanonical(secret) || scalars.isZero(secret)))
    throw new ThresholdError('GROUP_SHARE_INVALID', 'expected a secret key of the group');
  return withSecrets((keep) => {
    const coefficients = Array.from({ length: quorum.threshold }, (_, index) =>
      index === 0 && secret !== undefined ? secret : keep(drawScalar(group, random)),
    );
    return {
      group: encodeGroup(
        suite,
        quorum,
        coefficients.map((coefficient) => group.multiplyBase(coefficient)),
      ),
      shares: new Map(quorum.signers.map((signer) => [signer, evaluate(scalars, coefficients, signer)])),
    };
  });
}
