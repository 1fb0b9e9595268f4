import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { BITCOIN_FEATURES } from './features.ts';
import { INPUT } from './fields.ts';
import { findField } from './key-value-map.ts';
import type { OwnInput } from './own-inputs.ts';
import { SIGHASH, splitSighashType } from './sighash.ts';

const BASES: readonly number[] = [SIGHASH.all, SIGHASH.none, SIGHASH.single];

/**
 * Returns the sighash type that an input asks for: the one that its PSBT states, otherwise ALL, or DEFAULT for taproot.
 *
 * @throws TransactionError TRANSACTION_UNSUPPORTED for a type that consensus or Bitcoin Core does not know,
 *   TRANSACTION_UNSAFE for SINGLE without an output of the input's index
 */
export function readSighashType({ index, kind, map }: OwnInput, outputCount: number): number {
  const value = findField(map, INPUT.sighashType);
  const standard = kind === 'taproot' ? SIGHASH.default : SIGHASH.all;
  const type = value === undefined ? standard : new ByteReader(value, 'sighash type').readU32();
  if (type === standard) return type;
  if (!BASES.includes(type & ~SIGHASH.anyoneCanPay)) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', 'an input asks for an unknown sighash type', {
      input: index,
      found: type,
    });
  }
  if (splitSighashType(type).base === SIGHASH.single && index >= outputCount) {
    throw new TransactionError(
      'TRANSACTION_UNSAFE',
      'an input asks to commit to an output that is not there',
      {
        input: index,
      },
    );
  }
  return type;
}

/** Tells whether a signature of this type commits to all outputs. */
export function commitsToOutputs(type: number): boolean {
  const { base } = splitSighashType(type);
  return base !== SIGHASH.none && base !== SIGHASH.single;
}

/** Returns the features of a sighash type; none for ALL and DEFAULT. */
export function listSighashFeatures(type: number): string[] {
  const { base, isAnyoneCanPay } = splitSighashType(type);
  return [
    ...(base === SIGHASH.none ? [BITCOIN_FEATURES.sighashNone] : []),
    ...(base === SIGHASH.single ? [BITCOIN_FEATURES.sighashSingle] : []),
    ...(isAnyoneCanPay ? [BITCOIN_FEATURES.sighashAnyoneCanPay] : []),
  ];
}

/** Writes a sighash type as Bitcoin Core does: `ALL`, `SINGLE|ANYONECANPAY`. */
export function nameSighashType(type: number): string {
  const { base, isAnyoneCanPay } = splitSighashType(type);
  return `${['DEFAULT', 'ALL', 'NONE', 'SINGLE'][base]}${isAnyoneCanPay ? '|ANYONECANPAY' : ''}`;
}
