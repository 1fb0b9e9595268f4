import { TransactionError } from '../errors.ts';

/** Lock times that an input requires: seconds since 1970, a height, one of the two, or neither. */
export interface RequiredLockTime {
  readonly time: number | undefined;
  readonly height: number | undefined;
}

/**
 * Determines the lock time of a PSBT of version 2 (BIP-370, "Determining Lock Time"): the greatest of the kind that all
 * inputs which require one allow, height before time; the fallback where none requires any.
 *
 * @throws TransactionError TRANSACTION_UNSAFE where one input requires a time and another a height
 */
export function computeLockTime(fallback: number, inputs: readonly RequiredLockTime[]): number {
  const requiring = inputs.filter(({ time, height }) => time !== undefined || height !== undefined);
  if (requiring.length === 0) return fallback;
  const heights = requiring.flatMap(({ height }) => height ?? []);
  if (heights.length === requiring.length) return Math.max(...heights);
  const times = requiring.flatMap(({ time }) => time ?? []);
  if (times.length === requiring.length) return Math.max(...times);
  throw new TransactionError('TRANSACTION_UNSAFE', 'inputs require lock times of both kinds');
}
