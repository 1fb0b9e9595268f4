import { type KeyType } from '../../shared/algorithms.ts';
import { type KeySignature, type Signer } from '../signer/index.ts';

/** The types of keys that one node makes and uses alone; shares of a group's key are in enclave/frost. */
export const SOLE_KEY_TYPES = ['ed25519', 'p256', 'secp256k1'] as const satisfies readonly KeyType[];
export type SoleKeyType = (typeof SOLE_KEY_TYPES)[number];

export function isSoleKeyType(type: KeyType): type is SoleKeyType {
  return (SOLE_KEY_TYPES as readonly KeyType[]).includes(type);
}

/** A whole private key in memory. `sign` and `serialise` also throw KeyError KEY_DESTROYED. */
export type HeldKey = Signer<SoleKeyType, KeySignature>;
