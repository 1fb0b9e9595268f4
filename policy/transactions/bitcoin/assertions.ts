import { bytesToHex } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { MAX_AMOUNT } from './limits.ts';
import { type Output, serialiseOutpoint, type UnsignedTransaction } from './raw-transaction.ts';

const MAX_VERSION = 3;
const NO_TXID = new Uint8Array(32);

/**
 * Asserts what consensus and Bitcoin Core's rules for relay demand of any transaction, as far as it can be known here:
 * a version from 1 to 3, inputs and outputs, no outpoint twice, none of a coinbase, amounts that exist.
 *
 * @throws TransactionError TRANSACTION_UNSUPPORTED, TRANSACTION_UNSAFE
 */
export function assertTransaction(transaction: UnsignedTransaction): void {
  const { version, inputs, outputs } = transaction;
  if (version < 1 || version > MAX_VERSION) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', `expected a version from 1 to ${MAX_VERSION}`, {
      found: version,
    });
  }
  if (inputs.length === 0 || outputs.length === 0) throw unsafe('a transaction has inputs and outputs');
  const outpoints = new Set(inputs.map((input) => bytesToHex(serialiseOutpoint(input))));
  if (outpoints.size !== inputs.length) throw unsafe('two inputs spend the same output');
  const zero = bytesToHex(NO_TXID);
  if (inputs.some(({ txid }) => bytesToHex(txid) === zero))
    throw unsafe('an input spends what no transaction made');
  if (outputs.some(({ amount }) => amount > MAX_AMOUNT)) throw unsafe('an output has more than there is');
}

/**
 * Computes the fee, which is what the inputs have above the outputs.
 *
 * @param spent outputs that the inputs spend, none above MAX_AMOUNT
 * @throws TransactionError TRANSACTION_UNSAFE
 */
export function computeFee(spent: readonly Output[], outputs: readonly Output[]): bigint {
  const [total, paid] = [sumAmounts(spent), sumAmounts(outputs)];
  if (total > MAX_AMOUNT) throw unsafe('the inputs have more than there is');
  if (paid > total) throw unsafe('the outputs have more than the inputs');
  return total - paid;
}

export function sumAmounts(outputs: readonly Output[]): bigint {
  return outputs.reduce((sum, { amount }) => sum + amount, 0n);
}

function unsafe(message: string): TransactionError {
  return new TransactionError('TRANSACTION_UNSAFE', message);
}
