import { createHmac } from 'node:crypto';
import { ThresholdError } from '../errors.ts';
import { type DecodedGroup } from '../frost-group.ts';
import { type Suite } from '../suites/suite.ts';
import { type Adjustment, adjustGroup } from './adjustment.ts';

const CHAIN_CODE_BYTES = 32;
const FIRST_HARDENED = 2 ** 31;
/** The deepest path from a group's key to a child: BIP-32 counts depth in one byte. */
const MAX_CHILD_DEPTH = 255;

/** The public part of a child of a key: what each signer adds to its share, and the child's own chain code. */
export interface ChildPublicKey {
  readonly adjustment: Adjustment;
  /** An encoded element: compressed SEC1. */
  readonly publicKey: Uint8Array;
  readonly chainCode: Uint8Array;
}

/** The child of a group's key. */
export interface ChildKey extends ChildPublicKey {
  readonly group: DecodedGroup;
}

/**
 * Derives the child of a group's key along a path of unhardened indices: BIP-32, CKDpub. The sum of all tweaks is public,
 * so that each signer adds it to its share. A hardened child needs the whole secret key, which nobody has.
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
  const [publicKey = new Uint8Array(0)] = group.commitments;
  const child = deriveChildPublicKey(group.suite, { publicKey, chainCode }, path);
  return { ...child, group: path.length === 0 ? group : adjustGroup(group, child.adjustment) };
}

/**
 * Derives the child of a public key, as {@link deriveChildKey} does that of a group.
 *
 * Ed25519 has no published scheme with public derivation that RFC 8032 signers agree on (SLIP-10 is hardened alone,
 * BIP32-Ed25519 needs an extended secret), P-256 and ristretto255 have no addresses to agree with: they are refused.
 *
 * @throws ThresholdError DERIVATION_UNSUPPORTED, DERIVATION_INVALID
 */
export function deriveChildPublicKey(
  { type, group: curve }: Suite,
  parent: Omit<ChildPublicKey, 'adjustment'>,
  path: readonly number[],
): ChildPublicKey {
  if (type !== 'frost-secp256k1-taproot') {
    throw new ThresholdError('DERIVATION_UNSUPPORTED', 'keys of this type have no unhardened children', [], {
      type,
    });
  }
  let element = curve.decode(parent.publicKey);
  if (parent.chainCode.length !== CHAIN_CODE_BYTES || path.length > MAX_CHILD_DEPTH || element === undefined)
    throw new ThresholdError('DERIVATION_INVALID', 'expected a key, a chain code and a path of BIP-32');
  let { publicKey, chainCode } = parent;
  let addend = curve.scalars.fromNumber(0);
  for (const index of path) {
    const digest = hashIndex({ publicKey, chainCode }, index);
    const tweak = new Uint8Array(digest.subarray(0, CHAIN_CODE_BYTES));
    if (!curve.scalars.isCanonical(tweak)) throw childless(index);
    element = curve.add(element, curve.multiplyBase(tweak));
    if (curve.isIdentity(element)) throw childless(index);
    publicKey = curve.encode(element);
    chainCode = digest.subarray(CHAIN_CODE_BYTES);
    addend = curve.scalars.add(addend, tweak);
  }
  return {
    adjustment: { isNegated: false, addend },
    publicKey,
    chainCode: Uint8Array.from(chainCode),
  };
}

function hashIndex({ publicKey, chainCode }: Omit<ChildPublicKey, 'adjustment'>, index: number): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= FIRST_HARDENED) {
    throw new ThresholdError('DERIVATION_INVALID', 'expected an unhardened index, below 2^31', [], { index });
  }
  const suffix = Buffer.alloc(4);
  suffix.writeUInt32BE(index);
  return createHmac('sha512', chainCode).update(publicKey).update(suffix).digest();
}

const childless = (index: number) =>
  new ThresholdError('DERIVATION_INVALID', 'the index derives no child', [], { index });
