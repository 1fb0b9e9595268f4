import { encodeBase58 } from './base58.ts';
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
const TAGS = { authorize: 1, delegate: 2, withdraw: 4, deactivate: 5 } as const;

/**
 * Decodes an instruction of the stake program: delegation, deactivation, withdrawal, and a change of authority. All
 * others are calls.
 *
 * @throws TransactionError TRANSACTION_MALFORMED
 *
 * Source: solana-stake-interface, `StakeInstruction`.
 */
export function decodeStake(instruction: Instruction): DecodedInstruction {
  const { data, own, network } = instruction;
  const at = (position: number) => accountAt(instruction, position);
  const describe = describeEffect.bind(undefined, instruction, TAG_BYTES);
  const call = () => describeCall(instruction, TAG_BYTES, true);
  if (data.length < TAG_BYTES) return call();

  switch (new DataView(data.buffer, data.byteOffset).getUint32(0, true)) {
    case TAGS.delegate:
      readData(instruction, TAG_BYTES, () => undefined);
      return at(5) === own ? describe('delegate', { to: at(1), details: { stake: at(0) } }) : call();
    case TAGS.deactivate:
      readData(instruction, TAG_BYTES, () => undefined);
      return at(2) === own ? describe('stake', { details: { stake: at(0), action: 'deactivate' } }) : call();
    case TAGS.withdraw: {
      const amount = readData(instruction, TAG_BYTES, (reader) => reader.integer(8));
      if (at(4) !== own) return call();
      const asset = nativeAsset(network);
      return describe('transfer', { to: at(1), asset, amount, details: { from: at(0) } });
    }
    case TAGS.authorize: {
      const { to, role } = readData(instruction, TAG_BYTES, (reader) => ({
        to: encodeBase58(reader.bytes(32)),
        role: String(reader.integer(4)),
      }));
      if (at(2) !== own) return call();
      const features = [SOLANA_FEATURES.setAuthority];
      return describe('call', { to, details: { stake: at(0), role }, features });
    }
    default:
      return call();
  }
}
