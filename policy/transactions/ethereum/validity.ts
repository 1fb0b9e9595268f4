import { TransactionError } from '../errors.ts';
import { assertNonce } from './authorization.ts';
import type { UnsignedTransaction } from './unsigned-transaction.ts';

/** The most blobs of one transaction (EIP-7594). */
export const MAX_BLOBS = 6;
/** Gas of a blob (EIP-4844): 2^17. */
const GAS_PER_BLOB = 131_072n;
/** The most authorisations of one transaction: each is recovered, which costs the enclave about a millisecond. */
export const MAX_AUTHORIZATIONS = 16;
const WORD_END = 1n << 256n;

/**
 * Refuses canonical transactions that no chain includes, or that mean less than they say.
 *
 * @throws TransactionError TRANSACTION_UNSAFE, and TRANSACTION_TOO_LARGE beyond {@link MAX_AUTHORIZATIONS}
 */
export function assertValid(transaction: UnsignedTransaction): void {
  assertNonce(transaction.nonce);
  assertFees(transaction);
  if (transaction.type === 3) assertBlobs(transaction);
  if (transaction.type === 4) assertAuthorizations(transaction);
}

/** Computes the most that gas and blobs can cost, in wei. */
export function computeMaximumFee(transaction: UnsignedTransaction): bigint {
  const { gas, maxFeePerGas, blobHashes, maxFeePerBlobGas } = transaction;
  return gas * maxFeePerGas + GAS_PER_BLOB * BigInt(blobHashes.length) * maxFeePerBlobGas;
}

function assertFees(transaction: UnsignedTransaction): void {
  const { maxPriorityFeePerGas, maxFeePerGas, value } = transaction;
  if (maxPriorityFeePerGas !== null && maxPriorityFeePerGas > maxFeePerGas) {
    throw unsafe('maxPriorityFeePerGas', 'expected at most maxFeePerGas (EIP-1559)');
  }
  if (computeMaximumFee(transaction) + value >= WORD_END) {
    throw unsafe('gas', 'expected value and the highest fee below 2^256 wei together');
  }
}

function assertBlobs({ to, blobHashes }: UnsignedTransaction): void {
  if (to === null)
    throw unsafe('to', 'expected an address: a blob transaction creates no contract (EIP-4844)');
  if (blobHashes.length === 0 || blobHashes.length > MAX_BLOBS) {
    throw unsafe(
      'blobHashes',
      `expected 1 to ${MAX_BLOBS} blobs (EIP-4844, EIP-7594), found ${blobHashes.length}`,
    );
  }
  if (blobHashes.some((hash) => hash[0] !== 0x01)) {
    throw unsafe('blobHashes', 'expected version 0x01 in the first byte of each hash (EIP-4844)');
  }
}

function assertAuthorizations({ to, chainId, authorizations }: UnsignedTransaction): void {
  if (to === null)
    throw unsafe('to', 'expected an address: a set-code transaction creates no contract (EIP-7702)');
  if (authorizations.length === 0)
    throw unsafe('authorizations', 'expected at least one authorisation (EIP-7702)');
  if (authorizations.length > MAX_AUTHORIZATIONS) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', `${authorizations.length} authorisations`, {
      maximum: MAX_AUTHORIZATIONS,
    });
  }
  for (const authorization of authorizations) {
    // The chain skips such an authorisation; whoever sees it may use it on its own chain.
    if (authorization.chainId !== 0n && authorization.chainId !== chainId) {
      throw unsafe('authorizations', 'expected chain id 0 or that of the transaction in each authorisation');
    }
    assertNonce(authorization.nonce);
  }
}

function unsafe(field: string, message: string): TransactionError {
  return new TransactionError('TRANSACTION_UNSAFE', `${field}: ${message}`, { field });
}
