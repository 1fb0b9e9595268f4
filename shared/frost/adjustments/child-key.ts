import { createHmac } from 'node:crypto';
import { ThresholdError } from '../errors.ts';
import { type DecodedGroup } from '../frost-group.ts';
import { type Adjustment, adjustGroup } from './adjustment.ts';

const CHAIN_CODE_BYTES = 32;
const FIRST_HARDENED = 2 ** 31;
/** The deepest path from a group's key to a child: BIP-32 counts depth in one byte. */
const MAX_CHILD_DEPTH = 255;

/** The child of a group's key: what each signer adds to its share, and the child's own chain code. */
export interface ChildKey {
  readonly adjustment: Adjustment;
  readonly group: DecodedGroup;
  readonly chainCode: Uint8Array;
}

/**
 * Derives the child of a group's key along a path of unhardened indices: BIP-32, CKDpub. The sum of all tweaks is public,
 * so that each signer adds it to its share. A hardened child needs the whole secret key, which nobody has.
 *
 * Ed25519 has no published scheme with public derivation that RFC 8032 signers agree on (SLIP-10 is hardened alone,
 * BIP32-Ed25519 needs an extended secret), P-256 and ristretto255 have no addresses to agree with: they are refused.
 *
 * @param chainCode 32 bytes that belong to the group's key
 * @param path indices from 0 to 2^31 - 1
 * @throws ThresholdError DERIVATION_UNSUPPORTED, DERIVATION_INVALID
 */
export function deriveChildKey(
  group: DecodedGroup,
  chainCode: Uint8Array,
  path: readonly number[],
): ChildKey {
  const { suite } = group;
  const { scalars } = suite.group;
  if (suite.type !== 'frost-secp256k1-taproot') {
    throw new ThresholdError('DERIVATION_UNSUPPORTED', 'keys of this type have no unhardened children', [], {
      type: suite.type,
    });
  }
  if (chainCode.length !== CHAIN_CODE_BYTES || path.length > MAX_CHILD_DEPTH)
    throw new ThresholdError('DERIVATION_INVALID', 'expected a chain code of 32 bytes and a path of BIP-32');
  let child: ChildKey = {
    adjustment: { isNegated: false, addend: scalars.fromNumber(0) },
    group,
    chainCode: Uint8Array.from(chainCode),
  };
  for (const index of path) {
    const { tweak, chainCode: next } = deriveTweak(child, index);
    const addend = scalars.add(child.adjustment.addend, tweak);
    child = {
      adjustment: { isNegated: false, addend },
      group: adjustGroup(child.group, { isNegated: false, addend: tweak }),
      chainCode: next,
    };
  }
  return child;
}

function deriveTweak({ group, chainCode }: ChildKey, index: number) {
  if (!Number.isInteger(index) || index < 0 || index >= FIRST_HARDENED) {
    throw new ThresholdError('DERIVATION_INVALID', 'expected an unhardened index, below 2^31', [], { index });
  }
  const suffix = Buffer.alloc(4);
  suffix.writeUInt32BE(index);
  const digest = createHmac('sha512', chainCode)
    .update(group.commitments[0] ?? suffix)
    .update(suffix)
    .digest();
  const tweak = new Uint8Array(digest.subarray(0, 32));
  if (!group.suite.group.scalars.isCanonical(tweak))
    throw new ThresholdError('DERIVATION_INVALID', 'the index derives no child', [], { index });
  return { tweak, chainCode: new Uint8Array(digest.subarray(32)) };
}
