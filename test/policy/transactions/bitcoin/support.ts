import { TransactionError } from '../../../../policy/transactions/index.ts';

/** Returns the code of the TransactionError that a call throws; fails on any other error, and on none. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
  throw new RangeError('expected a TransactionError, found none');
}
