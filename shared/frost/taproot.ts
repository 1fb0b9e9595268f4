import { type FrostPublic, type FrostSecret } from '@noble/curves/abstract/frost.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { computeTapTweak } from '../tap-tweak.ts';

const { Point } = secp256k1;
const { Fn } = Point;
const ODD_Y = 3;

/*
 * Tweaking a shared key as BIP-341 tweaks a sole one: the polynomial whose value at 0 is the secret is negated where
 * the public point has an odd y, and the tweak is added to its constant term. Each signer can do so with its own share,
 * and anybody with the public points, so that the signers need not talk.
 */

/** Computes the group whose public key is the output key. `merkleRoot` is 32 bytes, or none (BIP-86). */
export function tweakGroup(group: FrostPublic, merkleRoot: Uint8Array): FrostPublic {
  const internalKey = groupKey(group);
  const tweak = Point.BASE.multiplyUnsafe(computeTapTweak(internalKey.subarray(1), merkleRoot));
  const follow = (bytes: Uint8Array) => {
    const point = Point.fromBytes(bytes);
    return internalKey[0] === ODD_Y ? point.negate() : point;
  };
  return {
    signers: group.signers,
    commitments: group.commitments.map((bytes, index) =>
      (index === 0 ? follow(bytes).add(tweak) : follow(bytes)).toBytes(),
    ),
    verifyingShares: Object.fromEntries(
      Object.entries(group.verifyingShares).map(([id, bytes]) => [id, follow(bytes).add(tweak).toBytes()]),
    ),
  };
}

/** Computes the share of the tweaked key; the caller clears the result. */
export function tweakShare(secret: FrostSecret, group: FrostPublic, merkleRoot: Uint8Array): FrostSecret {
  const internalKey = groupKey(group);
  const share = Fn.fromBytes(secret.signingShare);
  const followed = internalKey[0] === ODD_Y ? Fn.neg(share) : share;
  const tweaked = Fn.add(followed, computeTapTweak(internalKey.subarray(1), merkleRoot));
  return { identifier: secret.identifier, signingShare: Fn.toBytes(tweaked) as FrostSecret['signingShare'] };
}

function groupKey(group: FrostPublic): Uint8Array {
  const [key] = group.commitments;
  if (key === undefined) throw new RangeError('a group without a key');
  return key;
}
