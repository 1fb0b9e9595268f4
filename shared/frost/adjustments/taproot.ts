import { createHash } from 'node:crypto';
import { ThresholdError } from '../errors.ts';
import { type DecodedGroup } from '../frost-group.ts';
import { type Adjustment } from './adjustment.ts';

const ROOT_BYTES = 32;

/**
 * Computes the tweak of BIP-341 for a group's key: negated where the key has an odd y, then the tagged hash of the
 * internal key and the root is added.
 *
 * @param merkleRoot 32 bytes, or none where there is no script tree (BIP-86)
 * @throws ThresholdError DERIVATION_UNSUPPORTED for another type than taproot; DERIVATION_INVALID
 */
export function createTaprootTweak(group: DecodedGroup, merkleRoot: Uint8Array): Adjustment {
  const { suite, commitments } = group;
  const [publicKey] = commitments;
  if (!suite.isBip340 || publicKey === undefined)
    throw new ThresholdError('DERIVATION_UNSUPPORTED', 'expected a taproot key', [], { type: suite.type });
  if (merkleRoot.length !== 0 && merkleRoot.length !== ROOT_BYTES) {
    throw new ThresholdError('DERIVATION_INVALID', 'expected a root of 32 bytes, or none', [], {
      length: merkleRoot.length,
    });
  }
  const tag = createHash('sha256').update('TapTweak').digest();
  const addend = new Uint8Array(
    createHash('sha256')
      .update(Buffer.concat([tag, tag, publicKey.subarray(1), merkleRoot]))
      .digest(),
  );
  // BIP-341 refuses a hash of the order or more, which nobody can find.
  if (!suite.group.scalars.isCanonical(addend))
    throw new ThresholdError('DERIVATION_INVALID', 'the tweak is no scalar');
  return { isNegated: publicKey[0] === 3, addend };
}
