import { concatBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { areEqual, writeBytes, writeCompactSize, writeU32, writeU64 } from './bytes.ts';
import { hash256 } from './hashes.ts';
import { MAX_INPUTS, MAX_OUTPUTS } from './limits.ts';

/** An output of a transaction: satoshi, and the script that may spend them. */
export interface Output {
  readonly amount: bigint;
  readonly script: Uint8Array;
}

/** What an input spends. `txid` is in the order of the bytes that are hashed; people read it reversed. */
export interface Input {
  readonly txid: Uint8Array;
  readonly outputIndex: number;
  readonly sequence: number;
}

/** A transaction without signatures. */
export interface UnsignedTransaction {
  readonly version: number;
  readonly lockTime: number;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
}

/**
 * Reads the unsigned transaction of a PSBT of version 0: without witnesses, each input's script empty (BIP-174).
 *
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL, TRANSACTION_TOO_LARGE
 */
export function parseUnsignedTransaction(bytes: Uint8Array): UnsignedTransaction {
  const reader = new ByteReader(bytes, 'unsigned transaction');
  const version = reader.readU32();
  const inputs = readMany(reader.readCompactSize(), 'inputs', MAX_INPUTS, () => {
    const [txid, outputIndex, script] = [reader.take(32), reader.readU32(), reader.readBytes()];
    if (script.length > 0) {
      throw new TransactionError(
        'TRANSACTION_MALFORMED',
        'an input of the unsigned transaction has a script',
      );
    }
    return { txid, outputIndex, sequence: reader.readU32() };
  });
  const outputs = readMany(reader.readCompactSize(), 'outputs', MAX_OUTPUTS, () => readOutput(reader));
  const lockTime = reader.readU32();
  reader.assertAtEnd();
  const transaction = { version, lockTime, inputs, outputs };
  if (!areEqual(serialiseTransaction(transaction), bytes)) {
    throw new TransactionError(
      'TRANSACTION_NOT_CANONICAL',
      'the unsigned transaction serialises to other bytes',
    );
  }
  return transaction;
}

/** Writes a transaction without witnesses and with empty input scripts. */
export function serialiseTransaction({
  version,
  lockTime,
  inputs,
  outputs,
}: UnsignedTransaction): Uint8Array {
  return concatBytes(
    writeU32(version),
    writeCompactSize(inputs.length),
    ...inputs.map((input) =>
      concatBytes(serialiseOutpoint(input), Uint8Array.of(0), writeU32(input.sequence)),
    ),
    writeCompactSize(outputs.length),
    ...outputs.map(serialiseOutput),
    writeU32(lockTime),
  );
}

export function serialiseOutpoint({ txid, outputIndex }: Input): Uint8Array {
  return concatBytes(txid, writeU32(outputIndex));
}

export function serialiseOutput({ amount, script }: Output): Uint8Array {
  return concatBytes(writeU64(amount), writeBytes(script));
}

export function readOutput(reader: ByteReader): Output {
  return { amount: reader.readU64(), script: reader.readBytes() };
}

/**
 * Reads a whole transaction, with or without witnesses (BIP-144), and returns one of its outputs and its id. The bytes
 * are walked and not kept as objects; the id pins all of them but the witnesses, which say nothing about outputs.
 *
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL
 */
export function readPreviousTransaction(
  bytes: Uint8Array,
  outputIndex: number,
): { readonly txid: Uint8Array; readonly output: Output | undefined } {
  const reader = new ByteReader(bytes, 'previous transaction');
  reader.take(4);
  const hasWitnesses = reader.peek(0) === 0;
  if (hasWitnesses && (reader.readU8(), reader.readU8()) !== 1) {
    throw new TransactionError(
      'TRANSACTION_MALFORMED',
      'a previous transaction has no inputs, or unknown flags',
    );
  }
  const start = reader.offset;
  const inputs = reader.readCompactSize();
  if (inputs === 0)
    throw new TransactionError('TRANSACTION_MALFORMED', 'a previous transaction has no inputs');
  for (let index = 0; index < inputs; index += 1) {
    reader.take(36);
    reader.readBytes();
    reader.take(4);
  }
  const outputs = reader.readCompactSize();
  let output: Output | undefined;
  for (let index = 0; index < outputs; index += 1) {
    const read = readOutput(reader);
    if (index === outputIndex) output = read;
  }
  const middle = reader.since(start);
  if (hasWitnesses) walkWitnesses(reader, inputs);
  const lockTime = reader.take(4);
  reader.assertAtEnd();
  return { txid: hash256(concatBytes(bytes.subarray(0, 4), middle, lockTime)), output };
}

function walkWitnesses(reader: ByteReader, inputs: number): void {
  let items = 0;
  for (let index = 0; index < inputs; index += 1) {
    const count = reader.readCompactSize();
    for (let item = 0; item < count; item += 1) reader.readBytes();
    items += count;
  }
  // Bitcoin Core refuses it: the same transaction has a form without.
  if (items === 0)
    throw new TransactionError(
      'TRANSACTION_NOT_CANONICAL',
      'a previous transaction has witnesses, all empty',
    );
}

function readMany<T>(count: number, what: string, maximum: number, read: () => T): T[] {
  if (count > maximum) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', `expected at most ${maximum} ${what}`, {
      found: count,
    });
  }
  return Array.from({ length: count }, read);
}
