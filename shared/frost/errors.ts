import { HoldfastError } from '../errors.ts';

/** Every code of {@link ThresholdError}. */
export type ThresholdErrorCode =
  /** Threshold, signers or commitments are not those of a group. */
  | 'GROUP_INVALID'
  /** A share that is no scalar, or not the value of its group's commitments at its holder's number. */
  | 'GROUP_SHARE_INVALID'
  /** A list of participants that are unknown, too few, too many, repeated or not in ascending order. */
  | 'PARTICIPANTS_INVALID'
  /** Nonce commitments that are no elements, or that two signers share. */
  | 'NONCE_COMMITMENTS_INVALID'
  /** The list of commitments lacks this signer's, or has others in their place: whoever sent the list is at fault. */
  | 'OWN_COMMITMENTS_ALTERED'
  /** Nonces that have signed before: they are zero. */
  | 'NONCES_SPENT'
  /** Signature shares that are missing, malformed or wrong. */
  | 'SIGNATURE_SHARES_INVALID'
  /** A child key or tweak that the key's type does not have. */
  | 'DERIVATION_UNSUPPORTED'
  /** An index or chain code that derives no child. */
  | 'DERIVATION_INVALID'
  /** Bytes that are no canonical package. */
  | 'PACKAGE_MALFORMED'
  /** A public package of another ceremony, with wrong commitments or without a valid proof. */
  | 'PACKAGE_INVALID'
  /** A secret part that does not fit the public package of its sender. */
  | 'SECRET_PART_INVALID'
  /** The ceremony would end with another key, or with one that cannot be used. */
  | 'CEREMONY_RESULT_INVALID';

/**
 * A refusal by the threshold mathematics. `culprits` are the numbers of all participants whose values are at fault, in
 * ascending order; none where the caller is, or where nobody's fault can be shown.
 */
export class ThresholdError extends HoldfastError<ThresholdErrorCode> {
  readonly culprits: readonly number[];

  constructor(
    code: ThresholdErrorCode,
    message: string,
    culprits: Iterable<number> = [],
    details: Record<string, unknown> = {},
  ) {
    const sorted = [...new Set(culprits)].toSorted((left, right) => left - right);
    super(code, message, { ...details, culprits: sorted });
    this.culprits = Object.freeze(sorted);
  }
}

/** Throws `code` with every participant of `values` for which `isValid` fails; passes where none does. */
export function assertEach<T>(
  values: Iterable<readonly [participant: number, value: T]>,
  isValid: (value: T, participant: number) => boolean,
  code: ThresholdErrorCode,
  message: string,
): void {
  const culprits: number[] = [];
  for (const [participant, value] of values) if (!isValid(value, participant)) culprits.push(participant);
  if (culprits.length > 0) throw new ThresholdError(code, message, culprits);
}
