import { type DecodedGroup, encodeGroup } from '../frost-group.ts';
import { withSecrets } from '../secrets.ts';

/**
 * A change of a shared key that each signer makes to its own share, and anybody to the public elements, without a word
 * between signers: the polynomial is negated, or not, and `addend`, a public scalar, is added to its constant term.
 */
export interface Adjustment {
  readonly isNegated: boolean;
  readonly addend: Uint8Array;
}

/** Computes the group of the adjusted key. @throws ThresholdError GROUP_INVALID where the key would be the identity */
export function adjustGroup(group: DecodedGroup, { isNegated, addend }: Adjustment): DecodedGroup {
  const { suite, elements } = group;
  const { group: curve } = suite;
  const tweak = curve.scalars.isZero(addend) ? undefined : curve.multiplyBase(addend);
  const adjusted = elements.map((element, index) => {
    const followed = isNegated ? curve.negate(element) : element;
    return index === 0 && tweak !== undefined ? curve.add(followed, tweak) : followed;
  });
  return encodeGroup(suite, group, adjusted);
}

/** Computes the share of the adjusted key; the caller clears the result. */
export function adjustShare(
  { suite }: DecodedGroup,
  share: Uint8Array,
  { isNegated, addend }: Adjustment,
): Uint8Array<ArrayBuffer> {
  const { scalars } = suite.group;
  return withSecrets((keep) => scalars.add(isNegated ? keep(scalars.negate(share)) : share, addend));
}

const EVEN = new WeakMap<DecodedGroup, { readonly group: DecodedGroup; readonly isNegated: boolean }>();

/** Computes the group that makes BIP-340 signatures: its public key has an even y. Others stay as they are. */
export function toEvenY(group: DecodedGroup): { readonly group: DecodedGroup; readonly isNegated: boolean } {
  const known = EVEN.get(group);
  if (known !== undefined) return known;
  const isNegated = group.suite.isBip340 && group.commitments[0]?.[0] === 3;
  const addend = group.suite.group.scalars.fromNumber(0);
  const result = { group: isNegated ? adjustGroup(group, { isNegated, addend }) : group, isNegated };
  EVEN.set(group, result);
  return result;
}
