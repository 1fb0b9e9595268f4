import { bytesToHex } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import type { Effect, EffectType } from '../transaction.ts';
import { ByteReader } from './byte-reader.ts';
import type { SolanaFeature } from './features.ts';

/** An instruction whose accounts are all known, with addresses in Base58. */
export interface Instruction {
  readonly index: number;
  readonly program: string;
  readonly accounts: readonly string[];
  readonly data: Uint8Array;
  /** Address of the signing key. */
  readonly own: string;
  /** CAIP-2. */
  readonly network: string;
}

/** What an instruction does, and what is unusual in it. */
export interface DecodedInstruction {
  readonly effect: Effect;
  readonly features: readonly SolanaFeature[];
}

type EffectFields = Partial<Pick<Effect, 'to' | 'asset' | 'amount'>>;

/** Makes the effect of an instruction that uses the authority of the signing key. */
export function describeEffect(
  instruction: Instruction,
  selectorBytes: number,
  type: EffectType,
  fields: EffectFields & {
    readonly details?: Readonly<Record<string, string>>;
    readonly features?: readonly SolanaFeature[];
  } = {},
): DecodedInstruction {
  const { to = null, asset = null, amount = null, details = {}, features = [] } = fields;
  return {
    effect: {
      type,
      to,
      asset,
      amount,
      contract: instruction.program,
      selector: selectorOf(instruction.data, selectorBytes),
      details: { instruction: String(instruction.index), ...details },
    },
    features,
  };
}

/**
 * Makes the effect of an instruction that no decoder reads further. One that is not given the signing key's account
 * cannot use its signature, and is listed all the same.
 *
 * @param known whether the program is one whose instructions are read: the key's account then stands at a place where
 *   no authority is expected, and nobody can say what for
 */
export function describeCall(
  instruction: Instruction,
  selectorBytes: number,
  known: boolean,
): DecodedInstruction {
  const isGivenKey = instruction.accounts.includes(instruction.own);
  return describeEffect(instruction, selectorBytes, known && isGivenKey ? 'unknown' : 'call', {
    details: { accounts: String(instruction.accounts.length), givenKey: String(isGivenKey) },
  });
}

/** Bytes in front of an instruction's data that name its function, in hex; the whole data where it is shorter. */
export function selectorOf(data: Uint8Array, bytes: number): string {
  return `0x${bytesToHex(data.subarray(0, bytes))}`;
}

/** CAIP-19 of SOL. */
export const nativeAsset = (network: string): string => `${network}/slip44:501`;
/** CAIP-19 of a token. */
export const tokenAsset = (network: string, mint: string): string => `${network}/token:${mint}`;

/**
 * Reads the data of an instruction behind its tag, to the last byte. The chain's programs ignore bytes that are left
 * over; other readers do not, so such an instruction is refused.
 *
 * @throws TransactionError TRANSACTION_MALFORMED
 */
export function readData<Value>(
  { data, index }: Instruction,
  tagBytes: number,
  read: (reader: ByteReader) => Value,
): Value {
  const reader = new ByteReader(data.subarray(tagBytes));
  const value = read(reader);
  if (reader.remaining > 0) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'bytes behind the data of an instruction', {
      instruction: index,
      actual: reader.remaining,
    });
  }
  return value;
}

/** Returns an account of an instruction. @throws TransactionError TRANSACTION_MALFORMED where there is none */
export function accountAt({ accounts, index }: Instruction, position: number): string {
  const account = accounts[position];
  if (account !== undefined) return account;
  throw new TransactionError('TRANSACTION_MALFORMED', 'an instruction has too few accounts', {
    instruction: index,
    expected: position + 1,
    actual: accounts.length,
  });
}
