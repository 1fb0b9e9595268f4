import { blake2b } from '@noble/hashes/blake2.js';
import { TransactionError } from '../errors.ts';
import type { DecodingContext, SigningInput } from '../transaction.ts';
import { BLS, type Tagged } from './address.ts';
import { hashKey } from './assertions.ts';

const NAMESPACE = 'tezos:';
/** Tags of the curves, by the algorithm that signs with a key of theirs. */
const CURVE_TAGS: Readonly<Record<string, number>> = {
  ed25519: 0,
  'frost-ed25519': 0,
  'ecdsa-secp256k1': 1,
  'ecdsa-p256-sha256': 2,
  'bls12-381-pop': BLS,
};
const DIGEST_BYTES = 32;

/**
 * Finds the one network of Tezos that a key serves: an operation does not say which it is for.
 *
 * @throws TransactionError TRANSACTION_NETWORK_MISMATCH
 */
export function findNetwork({ networks }: DecodingContext): string {
  const [network, ...others] = networks.filter((candidate) => candidate.startsWith(NAMESPACE));
  if (network !== undefined && others.length === 0) return network;
  throw new TransactionError(
    'TRANSACTION_NETWORK_MISMATCH',
    'the key serves not exactly one network of Tezos',
    {
      found: network === undefined ? 0 : others.length + 1,
    },
  );
}

/** Returns the network of a chain (CAIP-2): its id in Base58Check, 15 characters long. */
export function nameNetwork(chain: string): string {
  return `${NAMESPACE}${chain}`;
}

/**
 * Computes the hash of the signing key.
 *
 * @throws TransactionError TRANSACTION_KEY_MISMATCH for a key that Tezos has no accounts for
 */
export function hashSigner({ algorithm, publicKey }: DecodingContext): Tagged {
  const tag = CURVE_TAGS[algorithm];
  if (tag === undefined) {
    throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'Tezos has no accounts of this algorithm', {
      algorithm,
    });
  }
  return hashKey({ tag, bytes: publicKey });
}

/** Computes BLAKE2b-256 of a payload. */
export function hashPayload(payload: Uint8Array): Uint8Array {
  return blake2b(payload, { dkLen: DIGEST_BYTES });
}

/** Makes what is signed of a payload: BLS12-381 signs it as it is; of its hash, Ed25519 as a message, ECDSA as a digest. */
export function toSigningInput({ algorithm }: DecodingContext, payload: Uint8Array): SigningInput {
  const tag = CURVE_TAGS[algorithm];
  if (tag === BLS) return { kind: 'message', message: payload };
  const digest = hashPayload(payload);
  return tag === 0 ? { kind: 'message', message: digest } : { kind: 'digest', digest };
}
