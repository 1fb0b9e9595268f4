import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext, Effect } from '../transaction.ts';
import { computeAccount, formatAddress, hashPublicKey } from './account.ts';
import { decodeCanonical } from './canonical.ts';
import { fixedBytes, record, uint } from './codec.ts';
import { makeEffect } from './effects.ts';
import { encodeRlp } from './rlp.ts';
import { requireAnyNetwork, requireNetwork } from './networks.ts';

/** The longest authorisation, in bytes: the prefix, and three fields of at most 33, 21 and 9 bytes in a list. */
export const MAX_AUTHORIZATION_BYTES = 128;
/** The largest nonce of an account plus one (EIP-2681). */
export const NONCE_END = (1n << 64n) - 1n;

const MAGIC = Uint8Array.of(0x05);
const FIELDS = { chainId: uint(256), address: fixedBytes(20), nonce: uint(64) };
const AUTHORIZATION = record(FIELDS);

/** An item of a transaction's authorisation list: chain id, address, nonce, and a signature over them (EIP-7702). */
export const SIGNED_AUTHORIZATION = record({ ...FIELDS, yParity: uint(8), r: uint(256), s: uint(256) });
export type Authorization = ReturnType<typeof AUTHORIZATION.read>;
export type SignedAuthorization = ReturnType<typeof SIGNED_AUTHORIZATION.read>;

/**
 * Decodes the authorisation that an account signs to hand itself to code: 0x05 ‖ rlp([chain_id, address, nonce]). With
 * chain id 0 it holds on every chain; its network is null then.
 *
 * @throws TransactionError
 */
export function decodeAuthorization(bytes: Uint8Array, context: DecodingContext): DecodedPayload {
  if (bytes.length > MAX_AUTHORIZATION_BYTES) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'the authorisation is too long', {
      maximum: MAX_AUTHORIZATION_BYTES,
    });
  }
  if (bytes[0] !== MAGIC[0]) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'expected 0x05 before the list', { found: bytes[0] });
  }
  const { value, encoded } = decodeCanonical(bytes, MAGIC, AUTHORIZATION);
  assertNonce(value.nonce);
  const isAnyChain = value.chainId === 0n;
  if (isAnyChain) requireAnyNetwork(context);
  const network = isAnyChain ? null : requireNetwork(value.chainId, context);
  const source = computeAccount(context.publicKey).text;
  return {
    transaction: {
      kind: 'ethereum-authorization',
      network,
      source,
      effects: [describeAuthorization(value, source)],
      fee: null,
      nonce: value.nonce,
      gas: null,
      features: isAnyChain ? ['ethereum:any-chain'] : [],
      details: {},
    },
    signings: [{ input: { kind: 'digest', digest: keccak_256(encoded) } }],
  };
}

/**
 * Describes what an authorisation does: the account `contract` behaves as the code at `to` from then on. The zero address
 * takes its code away again.
 */
export function describeAuthorization({ chainId, address, nonce }: Authorization, authority: string): Effect {
  return makeEffect('authorise-code', {
    to: formatAddress(address),
    contract: authority,
    details: {
      authority,
      chainId: chainId.toString(),
      nonce: nonce.toString(),
      ...(address.every((byte) => byte === 0) ? { meaning: 'takes the code of the account away' } : {}),
    },
  });
}

/** @throws TransactionError TRANSACTION_UNSAFE for the nonce that no account can have (EIP-2681) */
export function assertNonce(nonce: bigint): void {
  if (nonce >= NONCE_END) {
    throw new TransactionError('TRANSACTION_UNSAFE', 'expected a nonce below 2^64 - 1', { field: 'nonce' });
  }
}

/**
 * Recovers who signed an authorisation. The chain skips one whose signature it does not take: the transaction would do
 * less than it says.
 *
 * @throws TransactionError TRANSACTION_UNSAFE for a signature that the chain does not take: parity above 1, r of zero, s
 *   in the upper half, no point
 */
export function recoverAuthority(authorization: SignedAuthorization, path: string): Uint8Array {
  const { yParity, r, s } = authorization;
  // The constructor below refuses r and s out of their range, and takes the parities 2 and 3 of SEC 1.
  if (yParity > 1n || s > secp256k1.Point.Fn.ORDER >> 1n) throw badSignature(path);
  const digest = keccak_256(concatBytes(MAGIC, encodeRlp(AUTHORIZATION.write(authorization))));
  try {
    const signature = new secp256k1.Signature(r, s, Number(yParity));
    return hashPublicKey(signature.recoverPublicKey(digest).toBytes(false));
  } catch (error) {
    throw badSignature(path, error);
  }
}

function badSignature(path: string, cause?: unknown): TransactionError {
  return new TransactionError(
    'TRANSACTION_UNSAFE',
    `${path}: the chain does not take its signature`,
    { field: path },
    cause,
  );
}
