import { createHash } from 'node:crypto';
import { ThresholdError } from '../errors.ts';
import { type DecodedGroup } from '../frost-group.ts';
import { type Adjustment, adjustGroup } from './adjustment.ts';
import { dropOldest } from '../../drop-oldest.ts';

const ROOT_BYTES = 32;
/** The most roots whose tweaked groups are kept for one group. */
const MAX_KEPT_TWEAKS = 16;

/** A group that is tweaked for an output, and the tweak. */
interface TweakedGroup {
  readonly tweak: Adjustment;
  readonly group: DecodedGroup;
}

const KEPT = new WeakMap<DecodedGroup, Map<string, TweakedGroup>>();

/**
 * Tweaks a group's key for a taproot output; the newest outputs of a group are kept, so that each is computed once.
 *
 * @param merkleRoot 32 bytes, or none where there is no script tree (BIP-86)
 * @throws ThresholdError as {@link createTaprootTweak}
 */
export function tweakGroup(group: DecodedGroup, merkleRoot: Uint8Array): TweakedGroup {
  const kept = KEPT.get(group) ?? new Map<string, TweakedGroup>();
  KEPT.set(group, kept);
  const root = Buffer.from(merkleRoot).toString('hex');
  const found = kept.get(root);
  if (found !== undefined) return found;
  const tweak = createTaprootTweak(group, merkleRoot);
  const tweaked = { tweak, group: adjustGroup(group, tweak) };
  kept.set(root, tweaked);
  dropOldest(kept, MAX_KEPT_TWEAKS);
  return tweaked;
}

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
