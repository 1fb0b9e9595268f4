import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';

/** Lamports of each signature (the chain's fee structure). */
const LAMPORTS_PER_SIGNATURE = 5000n;
const MICRO_LAMPORTS = 1_000_000n;
/** The most compute units of a transaction (MAX_COMPUTE_UNIT_LIMIT). */
const MAX_COMPUTE_UNITS = 1_400_000n;
/** Compute units of an instruction where no limit is set; built-in programs get fewer. */
const DEFAULT_UNITS_PER_INSTRUCTION = 200_000n;
const MAX_LAMPORTS = 2n ** 64n - 1n;

const TAGS = {
  requestHeapFrame: 1,
  setUnitLimit: 2,
  setUnitPrice: 3,
  setLoadedAccountsSizeLimit: 4,
} as const;

/** What the instructions of the compute budget program ask for; null where they do not. */
export interface ComputeBudget {
  readonly unitLimit: bigint | null;
  /** Micro-lamports of a compute unit. */
  readonly unitPrice: bigint | null;
}

/**
 * Reads the instructions of the compute budget program. The chain refuses a transaction with one of them twice, or with
 * one that it does not know; it ignores bytes that are left over, which are refused here.
 *
 * @param data of each such instruction
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_UNSAFE
 */
export function readComputeBudget(data: readonly Uint8Array[]): ComputeBudget {
  const found = new Map<number, bigint>();
  for (const bytes of data) {
    const reader = new ByteReader(bytes);
    const tag = reader.byte();
    if (tag < TAGS.requestHeapFrame || tag > TAGS.setLoadedAccountsSizeLimit) {
      throw new TransactionError('TRANSACTION_UNSAFE', 'no instruction of the compute budget', { tag });
    }
    const value = reader.integer(tag === TAGS.setUnitPrice ? 8 : 4);
    if (reader.remaining > 0) {
      throw new TransactionError(
        'TRANSACTION_MALFORMED',
        'bytes behind an instruction of the compute budget',
      );
    }
    if (found.has(tag)) {
      throw new TransactionError('TRANSACTION_UNSAFE', 'an instruction of the compute budget twice', { tag });
    }
    found.set(tag, value);
  }
  return {
    unitLimit: found.get(TAGS.setUnitLimit) ?? null,
    unitPrice: found.get(TAGS.setUnitPrice) ?? null,
  };
}

/** Returns the most compute units that a transaction of so many instructions can use. */
export function limitComputeUnits({ unitLimit }: ComputeBudget, instructions: number): bigint {
  const units = unitLimit ?? DEFAULT_UNITS_PER_INSTRUCTION * BigInt(instructions);
  return units < MAX_COMPUTE_UNITS ? units : MAX_COMPUTE_UNITS;
}

/** Returns the most lamports that a transaction costs its fee payer. @param signatures precompiles' included */
export function computeFee({ unitPrice }: ComputeBudget, units: bigint, signatures: number): bigint {
  const priority = ((unitPrice ?? 0n) * units + MICRO_LAMPORTS - 1n) / MICRO_LAMPORTS;
  return LAMPORTS_PER_SIGNATURE * BigInt(signatures) + (priority < MAX_LAMPORTS ? priority : MAX_LAMPORTS);
}
