import { TransactionError } from '../../errors.ts';

/** Refuses a document at a path such as `message.orders[0].price`. */
export function malformed(path: string, expected: string): TransactionError {
  return new TransactionError('TRANSACTION_MALFORMED', `${path}: expected ${expected}`, {
    field: path,
    expected,
  });
}

/** Refuses a document that is larger than a named limit. */
export function tooLarge(path: string, maximum: number): TransactionError {
  return new TransactionError('TRANSACTION_TOO_LARGE', `${path}: expected at most ${maximum}`, {
    field: path,
    maximum,
  });
}
