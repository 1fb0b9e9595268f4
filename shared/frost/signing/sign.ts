import { ThresholdError } from '../errors.ts';
import { type DecodedGroup } from '../frost-group.ts';
import { withSecrets } from '../secrets.ts';
import { type SignatureShare } from './aggregate.ts';
import { clearNonces, type NonceCommitments, type Nonces } from './nonces.ts';
import { prepareSigning, type SigningPackage, weighSigner } from './signing-package.ts';

/** A signer of a group, with its share. */
export interface ShareHolder {
  readonly group: DecodedGroup;
  readonly participant: number;
  /** The share: a scalar of 32 bytes, which {@link assertShare} has verified against the group. */
  readonly share: Uint8Array;
}

/**
 * Makes one signer's share of a signature: RFC 9591, 5.2. The nonces are zero afterwards, whatever happens.
 *
 * @param list the commitments of all signers that take part, this one's among them, in ascending order
 * @returns the scalar z_i, 32 bytes
 * @throws ThresholdError NONCES_SPENT, OWN_COMMITMENTS_ALTERED, PARTICIPANTS_INVALID, NONCE_COMMITMENTS_INVALID
 */
export function signShare(
  holder: ShareHolder,
  nonces: Nonces,
  list: readonly NonceCommitments[],
  message: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return signPrepared(holder, nonces, list, message).signatureShare;
}

/** A signer's share, and what it was made with: the signer that aggregates need not compute that again. */
export interface PreparedShare extends SignatureShare {
  readonly signatureShare: Uint8Array<ArrayBuffer>;
  readonly prepared: SigningPackage;
}

/**
 * Makes one signer's share as {@link signShare} does, and hands out what it was made with: all of it is public.
 *
 * @throws ThresholdError as {@link signShare}
 */
export function signPrepared(
  { group, participant, share }: ShareHolder,
  nonces: Nonces,
  list: readonly NonceCommitments[],
  message: Uint8Array,
): PreparedShare {
  const { scalars } = group.suite.group;
  try {
    if (scalars.isZero(nonces.hiding) || scalars.isZero(nonces.binding))
      throw new ThresholdError('NONCES_SPENT', 'expected nonces that have not signed');
    assertOwnCommitments(participant, nonces, list);
    const own = nonces.elements && { participant, ...nonces.elements };
    const prepared = prepareSigning(group, list, message, own);
    const terms = prepared.signers.get(participant);
    if (terms === undefined)
      throw new ThresholdError('OWN_COMMITMENTS_ALTERED', "expected this signer's commitments in the list");
    const weight = weighSigner(prepared, participant);
    const signatureShare = withSecrets((keep) => {
      const secret = prepared.isKeyNegated ? keep(scalars.negate(share)) : share;
      const bound = keep(scalars.multiply(nonces.binding, terms.bindingFactor));
      const sum = keep(scalars.add(nonces.hiding, bound));
      const nonce = prepared.isCommitmentNegated ? keep(scalars.negate(sum)) : sum;
      return scalars.add(nonce, keep(scalars.multiply(weight, secret)));
    });
    return { participant, signatureShare, prepared };
  } finally {
    clearNonces(nonces);
  }
}

function assertOwnCommitments(
  participant: number,
  { commitments }: Nonces,
  list: readonly NonceCommitments[],
): void {
  const own = list.filter((entry) => entry.participant === participant);
  const [first] = own;
  if (
    own.length !== 1 ||
    first === undefined ||
    commitments.participant !== participant ||
    !Buffer.from(first.hiding).equals(commitments.hiding) ||
    !Buffer.from(first.binding).equals(commitments.binding)
  ) {
    throw new ThresholdError(
      'OWN_COMMITMENTS_ALTERED',
      "expected this signer's commitments once and unaltered in the list",
    );
  }
}
