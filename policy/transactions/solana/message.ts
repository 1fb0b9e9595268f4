import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';

/** The most instructions of a message (SIMD-0160). */
const MAX_INSTRUCTIONS = 64;
/** The most bytes of a transaction on the wire, signatures included: one packet (Agave's PACKET_DATA_SIZE). */
const MAX_TRANSACTION_BYTES = 1232;
/** Accounts that an index of one byte can name. */
const MAX_ACCOUNTS = 256;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const VERSION_FLAG = 0x80;

export interface CompiledInstruction {
  readonly programIndex: number;
  readonly accounts: Uint8Array;
  readonly data: Uint8Array;
}

export interface AddressTable {
  readonly key: Uint8Array;
  readonly writable: Uint8Array;
  readonly readonly: Uint8Array;
}

/** A message as it is on the wire; nothing is resolved. */
export interface CompiledMessage {
  readonly version: 'legacy' | 0;
  /** Number of accounts in front that sign; the first of them pays the fee. */
  readonly signers: number;
  readonly readonlySigners: number;
  readonly readonlyOthers: number;
  readonly keys: readonly Uint8Array[];
  /** A recent blockhash, or the value of a nonce account. */
  readonly lifetime: Uint8Array;
  readonly instructions: readonly CompiledInstruction[];
  /** Empty in a legacy message. */
  readonly tables: readonly AddressTable[];
}

/**
 * Parses a legacy or v0 message as it is signed, and refuses what Agave's `sanitize` refuses, keys that are there twice
 * (Agave: AccountLoadedTwice), bytes that are left over, and any other bytes than those that the parsed message encodes to.
 *
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL, TRANSACTION_TOO_LARGE,
 *   TRANSACTION_UNSUPPORTED, TRANSACTION_UNSAFE
 */
export function parseMessage(bytes: Uint8Array): CompiledMessage {
  const message = readMessage(bytes);
  const encoded = encodeMessage(message);
  if (encoded.length !== bytes.length || encoded.some((byte, index) => byte !== bytes[index])) {
    throw new TransactionError('TRANSACTION_NOT_CANONICAL', 'a length is not in its shortest form');
  }
  assertSane(message);
  const size = 1 + SIGNATURE_BYTES * message.signers + bytes.length;
  if (size > MAX_TRANSACTION_BYTES) throw tooLarge('bytes', size, MAX_TRANSACTION_BYTES);
  return message;
}

function readMessage(bytes: Uint8Array): CompiledMessage {
  const reader = new ByteReader(bytes);
  let first = reader.byte();
  const version = (first & VERSION_FLAG) === 0 ? 'legacy' : 0;
  if (version === 0) {
    if (first !== VERSION_FLAG) {
      throw new TransactionError('TRANSACTION_UNSUPPORTED', 'a version other than legacy and 0', {
        version: first & ~VERSION_FLAG,
      });
    }
    first = reader.byte();
  }
  const [signers, readonlySigners, readonlyOthers] = [first, reader.byte(), reader.byte()];
  const keys = readList(reader, MAX_ACCOUNTS, () => reader.bytes(KEY_BYTES));
  const lifetime = reader.bytes(KEY_BYTES);
  const instructions = readList(reader, MAX_INSTRUCTIONS, () => ({
    programIndex: reader.byte(),
    accounts: reader.bytes(reader.compactLength()),
    data: reader.bytes(reader.compactLength()),
  }));
  const tables =
    version === 'legacy'
      ? []
      : readList(reader, MAX_ACCOUNTS, () => ({
          key: reader.bytes(KEY_BYTES),
          writable: reader.bytes(reader.compactLength()),
          readonly: reader.bytes(reader.compactLength()),
        }));
  if (reader.remaining > 0)
    throw malformed('bytes after the end of the message', { actual: reader.remaining });
  return { version, signers, readonlySigners, readonlyOthers, keys, lifetime, instructions, tables };
}

function readList<Item>(reader: ByteReader, maximum: number, readItem: () => Item): Item[] {
  const length = reader.compactLength();
  if (length > maximum) throw tooLarge('items', length, maximum);
  return Array.from({ length }, readItem);
}

function encodeMessage(message: CompiledMessage): Uint8Array {
  const bytes: number[] = message.version === 'legacy' ? [] : [VERSION_FLAG];
  const pushCounted = (items: Uint8Array) => {
    pushLength(bytes, items.length);
    bytes.push(...items);
  };
  bytes.push(message.signers, message.readonlySigners, message.readonlyOthers);
  pushLength(bytes, message.keys.length);
  for (const key of message.keys) bytes.push(...key);
  bytes.push(...message.lifetime);
  pushLength(bytes, message.instructions.length);
  for (const { programIndex, accounts, data } of message.instructions) {
    bytes.push(programIndex);
    pushCounted(accounts);
    pushCounted(data);
  }
  if (message.version === 'legacy') return Uint8Array.from(bytes);
  pushLength(bytes, message.tables.length);
  for (const table of message.tables) {
    bytes.push(...table.key);
    pushCounted(table.writable);
    pushCounted(table.readonly);
  }
  return Uint8Array.from(bytes);
}

/** Appends a compact-u16 in its shortest form. */
function pushLength(bytes: number[], length: number): void {
  let rest = length;
  for (; rest > 0x7f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}

/** Refuses what Agave refuses before it runs a message: `sanitize` of legacy and v0 messages, and keys that repeat. */
function assertSane({ signers, readonlySigners, readonlyOthers, ...message }: CompiledMessage): void {
  const { keys, instructions, tables } = message;
  if (signers + readonlyOthers > keys.length) {
    throw malformed('more signers and read-only accounts than accounts', {
      expected: keys.length,
      actual: signers + readonlyOthers,
    });
  }
  // At least one signer, who is writable: the fee payer.
  if (readonlySigners >= signers) throw malformed('no signer that is writable', { signers, readonlySigners });
  let accounts = keys.length;
  for (const { writable, readonly } of tables) {
    if (writable.length + readonly.length === 0) throw malformed('an address table of which nothing is used');
    accounts += writable.length + readonly.length;
  }
  if (accounts > MAX_ACCOUNTS) throw tooLarge('accounts', accounts, MAX_ACCOUNTS);
  for (const [index, instruction] of instructions.entries()) {
    const { programIndex } = instruction;
    // A program from a table could be any, and the fee payer is none.
    if (programIndex === 0 || programIndex >= keys.length) {
      throw malformed('a program that is no account of the message', { instruction: index, programIndex });
    }
    const account = instruction.accounts.find((account) => account >= accounts);
    if (account !== undefined) {
      throw malformed('an account that the message does not have', { instruction: index, account });
    }
  }
  const seen = new Set<string>();
  for (const key of keys) seen.add(String.fromCharCode(...key));
  if (seen.size < keys.length) {
    throw new TransactionError('TRANSACTION_UNSAFE', 'an account is there twice: the chain refuses it');
  }
}

function malformed(message: string, details: Record<string, unknown> = {}): TransactionError {
  return new TransactionError('TRANSACTION_MALFORMED', message, details);
}

function tooLarge(field: string, actual: number, maximum: number): TransactionError {
  return new TransactionError('TRANSACTION_TOO_LARGE', `${actual} ${field}, at most ${maximum} are taken`, {
    field,
    actual,
    maximum,
  });
}
