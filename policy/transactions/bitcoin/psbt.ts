import { concatBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { areEqual } from './bytes.ts';
import { assertFields, GLOBAL, INPUT, OUTPUT } from './fields.ts';
import { type FieldMap, findField, readMap, writeMap } from './key-value-map.ts';
import { MAX_FIELDS, MAX_INPUTS, MAX_OUTPUTS } from './limits.ts';
import { computeLockTime } from './lock-time.ts';
import { parseUnsignedTransaction, type UnsignedTransaction } from './raw-transaction.ts';

const MAGIC = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff);
const FINAL_SEQUENCE = 0xffff_ffff;

/** A PSBT of version 0 (BIP-174) or 2 (BIP-370): its maps, and the transaction that they say. */
export interface Psbt {
  readonly version: 0 | 2;
  readonly transaction: UnsignedTransaction;
  readonly global: FieldMap;
  /** One for each input of the transaction. */
  readonly inputs: readonly FieldMap[];
  /** One for each output of the transaction. */
  readonly outputs: readonly FieldMap[];
  /** Whether it has fields that nothing here reads. */
  readonly hasUnknownFields: boolean;
}

/**
 * Reads a PSBT to its last byte. Every field of a known type is well-formed then, no key occurs twice, and the maps
 * serialise to the very bytes that were read.
 *
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL, TRANSACTION_TOO_LARGE,
 *   TRANSACTION_UNSUPPORTED
 */
export function parsePsbt(bytes: Uint8Array): Psbt {
  const reader = new ByteReader(bytes, 'PSBT');
  if (!areEqual(reader.take(MAGIC.length), MAGIC)) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'expected a PSBT, found other bytes at its start');
  }
  let left = MAX_FIELDS;
  const readNext = () => {
    const map = readMap(reader, left);
    left -= map.length;
    return map;
  };
  const global = readNext();
  const version = readVersion(global);
  const globals = assertFields(global, 'global', version);
  if (findField(global, GLOBAL.signedMessage) !== undefined) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', 'the PSBT asks to sign a message (BIP-322)');
  }
  const unsigned =
    version === 0 ? parseUnsignedTransaction(requireField(global, GLOBAL.unsignedTransaction)) : undefined;
  const inputCount = unsigned?.inputs.length ?? readCount(global, GLOBAL.inputCount, MAX_INPUTS);
  const outputCount = unsigned?.outputs.length ?? readCount(global, GLOBAL.outputCount, MAX_OUTPUTS);
  const inputs = Array.from({ length: inputCount }, readNext);
  const outputs = Array.from({ length: outputCount }, readNext);
  reader.assertAtEnd();
  const checked = [
    globals,
    ...inputs.map((map) => assertFields(map, 'input', version)),
    ...outputs.map((map) => assertFields(map, 'output', version)),
  ];
  const psbt = {
    version,
    global,
    inputs,
    outputs,
    transaction: unsigned ?? assembleTransaction(global, inputs, outputs),
    hasUnknownFields: checked.some(({ hasUnknown }) => hasUnknown),
  };
  if (!areEqual(serialisePsbt(psbt), bytes)) {
    throw new TransactionError('TRANSACTION_NOT_CANONICAL', 'the PSBT serialises to other bytes');
  }
  return psbt;
}

/** Writes a PSBT, each map in its own order. */
export function serialisePsbt({
  global,
  inputs,
  outputs,
}: Pick<Psbt, 'global' | 'inputs' | 'outputs'>): Uint8Array {
  return concatBytes(MAGIC, ...[global, ...inputs, ...outputs].map(writeMap));
}

function readVersion(global: FieldMap): 0 | 2 {
  const value = findField(global, GLOBAL.version);
  if (value === undefined) return 0;
  const version = new ByteReader(value, 'version of the PSBT').readU32();
  if (version === 0 || version === 2) return version;
  throw new TransactionError('TRANSACTION_UNSUPPORTED', 'expected a PSBT of version 0 or 2', {
    found: version,
  });
}

function readCount(global: FieldMap, type: number, maximum: number): number {
  const count = new ByteReader(requireField(global, type), 'count in the PSBT').readCompactSize();
  if (count <= maximum) return count;
  throw new TransactionError('TRANSACTION_TOO_LARGE', `expected at most ${maximum} inputs or outputs`, {
    found: count,
  });
}

/** Makes the transaction of a PSBT of version 2, whose fields are well-formed. */
function assembleTransaction(
  global: FieldMap,
  inputs: readonly FieldMap[],
  outputs: readonly FieldMap[],
): UnsignedTransaction {
  return {
    version: toU32(requireField(global, GLOBAL.transactionVersion)),
    lockTime: computeLockTime(
      toU32(findField(global, GLOBAL.fallbackLockTime)) ?? 0,
      inputs.map((map) => ({
        time: toU32(findField(map, INPUT.requiredTime)),
        height: toU32(findField(map, INPUT.requiredHeight)),
      })),
    ),
    inputs: inputs.map((map) => ({
      txid: requireField(map, INPUT.previousTxid),
      outputIndex: toU32(requireField(map, INPUT.outputIndex)),
      sequence: toU32(findField(map, INPUT.sequence)) ?? FINAL_SEQUENCE,
    })),
    outputs: outputs.map((map) => ({
      amount: new ByteReader(requireField(map, OUTPUT.amount), 'amount').readU64(),
      script: requireField(map, OUTPUT.script),
    })),
  };
}

function requireField(map: FieldMap, type: number): Uint8Array {
  const value = findField(map, type);
  if (value !== undefined) return value;
  throw new TransactionError('TRANSACTION_MALFORMED', 'the PSBT lacks a field that its version has', {
    type,
  });
}

function toU32(value: Uint8Array): number;
function toU32(value: Uint8Array | undefined): number | undefined;
function toU32(value: Uint8Array | undefined): number | undefined {
  return value && new ByteReader(value, 'field of the PSBT').readU32();
}
