import { encodeBase58 } from './base58.ts';
import type { ByteReader } from './byte-reader.ts';
import { SOLANA_FEATURES } from './features.ts';
import {
  accountAt,
  type DecodedInstruction,
  describeCall,
  describeEffect,
  type Instruction,
  nativeAsset,
  readData,
} from './instruction.ts';

/** Tags are u32, little-endian (bincode). */
const TAG_BYTES = 4;
/** The longest seed of a derived address (MAX_SEED_LEN). */
const MAX_SEED_BYTES = 32n;

const TAGS = {
  createAccount: 0,
  assign: 1,
  transfer: 2,
  createAccountWithSeed: 3,
  advanceNonceAccount: 4,
  withdrawNonceAccount: 5,
  authorizeNonceAccount: 7,
  assignWithSeed: 10,
  transferWithSeed: 11,
} as const;
/** Instructions that move nothing; where they are given the key's account, nobody can say here what for. */
const OTHERS = new Map<number, (reader: ByteReader) => void>([
  // InitializeNonceAccount
  [6, (reader) => reader.bytes(32)],
  // Allocate: an account with data can pay nothing any more.
  [8, (reader) => reader.bytes(8)],
  // AllocateWithSeed
  [9, skipSeeded],
  // UpgradeNonceAccount
  [12, () => undefined],
]);

function skipSeeded(reader: ByteReader): void {
  reader.bytes(32);
  skipSeed(reader);
  reader.bytes(8 + 32);
}

const readKey = (reader: ByteReader): string => encodeBase58(reader.bytes(32));

/** Reads over a seed: the address that it leads to is an account of the instruction. */
function skipSeed(reader: ByteReader): void {
  const length = reader.integer(8);
  // The program refuses a longer one; the reader then says that the data ends.
  reader.bytes(length > MAX_SEED_BYTES ? Number.MAX_SAFE_INTEGER : Number(length));
}

/**
 * Decodes an instruction of the system program by what the signing key's authority does in it.
 *
 * @throws TransactionError TRANSACTION_MALFORMED
 *
 * Source: solana-system-interface, `SystemInstruction`.
 */
export function decodeSystem(instruction: Instruction): DecodedInstruction {
  const { data, own, network } = instruction;
  const asset = nativeAsset(network);
  const read = <Value>(reading: (reader: ByteReader) => Value) => readData(instruction, TAG_BYTES, reading);
  const at = (position: number) => accountAt(instruction, position);
  const describe = describeEffect.bind(undefined, instruction, TAG_BYTES);
  const call = () => describeCall(instruction, TAG_BYTES, true);
  if (data.length < TAG_BYTES) return call();

  const tag = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  switch (tag) {
    case TAGS.createAccount: {
      const details = {} as Record<string, string>;
      const amount = read((reader) => {
        const lamports = reader.integer(8);
        details['space'] = String(reader.integer(8));
        details['owner'] = readKey(reader);
        return lamports;
      });
      // By its own signature the new account is handed to its owner, a program.
      if (at(1) === own) return describe('authorise-code', { to: details['owner'] ?? null, details });
      return at(0) === own ? describe('transfer', { to: at(1), asset, amount, details }) : call();
    }
    case TAGS.createAccountWithSeed: {
      const { amount, details } = read((reader) => {
        const base = readKey(reader);
        skipSeed(reader);
        const lamports = reader.integer(8);
        const space = String(reader.integer(8));
        return { amount: lamports, details: { base, space, owner: readKey(reader) } };
      });
      return at(0) === own ? describe('transfer', { to: at(1), asset, amount, details }) : call();
    }
    case TAGS.assign: {
      const to = read(readKey);
      return at(0) === own ? describe('authorise-code', { to }) : call();
    }
    case TAGS.assignWithSeed: {
      const to = read((reader) => {
        reader.bytes(32);
        skipSeed(reader);
        return readKey(reader);
      });
      return at(1) === own ? describe('authorise-code', { to, details: { account: at(0) } }) : call();
    }
    case TAGS.transfer: {
      const amount = read((reader) => reader.integer(8));
      return at(0) === own ? describe('transfer', { to: at(1), asset, amount }) : call();
    }
    case TAGS.transferWithSeed: {
      const amount = read((reader) => {
        const lamports = reader.integer(8);
        skipSeed(reader);
        reader.bytes(32);
        return lamports;
      });
      const details = { from: at(0) };
      return at(1) === own ? describe('transfer', { to: at(2), asset, amount, details }) : call();
    }
    case TAGS.withdrawNonceAccount: {
      const amount = read((reader) => reader.integer(8));
      const details = { from: at(0) };
      return at(4) === own ? describe('transfer', { to: at(1), asset, amount, details }) : call();
    }
    case TAGS.authorizeNonceAccount: {
      const authority = read(readKey);
      if (at(1) !== own) return call();
      const features = [SOLANA_FEATURES.setAuthority];
      return describe('call', { to: authority, details: { account: at(0) }, features });
    }
    case TAGS.advanceNonceAccount:
      read(() => undefined);
      return at(2) === own ? describe('call', { details: { account: at(0) } }) : call();
    default:
      read(OTHERS.get(tag) ?? ((reader) => reader.bytes(reader.remaining)));
      return call();
  }
}
