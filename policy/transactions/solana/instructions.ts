import { bytesToHex } from '@noble/hashes/utils.js';
import {
  accountAt,
  type DecodedInstruction,
  describeCall,
  describeEffect,
  type Instruction,
} from './instruction.ts';
import {
  ASSOCIATED_TOKEN_PROGRAM,
  MEMO_PROGRAMS,
  STAKE_PROGRAM,
  SYSTEM_PROGRAM,
  TOKEN_2022_PROGRAM,
  TOKEN_PROGRAM,
} from './programs.ts';
import { decodeStake } from './stake.ts';
import { decodeSystem } from './system.ts';
import { decodeToken } from './token.ts';

/** Bytes of a selector by which most other programs tell their functions apart (Anchor's discriminator). */
export const DISCRIMINATOR_BYTES = 8;
/** Characters of a memo that the effect shows. */
const MAX_MEMO_CHARACTERS = 566;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes an instruction whose accounts are all known. @throws TransactionError TRANSACTION_MALFORMED */
export function decodeInstruction(instruction: Instruction): DecodedInstruction {
  switch (instruction.program) {
    case SYSTEM_PROGRAM:
      return decodeSystem(instruction);
    case TOKEN_PROGRAM:
    case TOKEN_2022_PROGRAM:
      return decodeToken(instruction);
    case STAKE_PROGRAM:
      return decodeStake(instruction);
    case ASSOCIATED_TOKEN_PROGRAM:
      return decodeAssociatedToken(instruction);
    default:
      return MEMO_PROGRAMS.includes(instruction.program)
        ? describeMemo(instruction)
        : describeCall(instruction, DISCRIMINATOR_BYTES, false);
  }
}

/**
 * Decodes Create and CreateIdempotent, for which the payer pays the rent of a token account, an amount that the chain
 * sets. Create may be written without data; its selector is 0x00 in both forms.
 */
function decodeAssociatedToken(instruction: Instruction): DecodedInstruction {
  const [tag = 0] = instruction.data;
  if (instruction.data.length > 1 || tag > 1) return describeCall(instruction, 1, false);
  const named = { ...instruction, data: Uint8Array.of(tag) };
  return describeEffect(named, 1, 'call', {
    to: accountAt(instruction, 2),
    details: { account: accountAt(instruction, 1), mint: accountAt(instruction, 3) },
  });
}

function describeMemo(instruction: Instruction): DecodedInstruction {
  return describeEffect(instruction, 0, 'message', { details: { memo: readMemo(instruction.data) } });
}

/** The text of a memo, or its bytes in hex where they are no UTF-8, which the program refuses. */
function readMemo(data: Uint8Array): string {
  try {
    return utf8.decode(data).slice(0, MAX_MEMO_CHARACTERS).toWellFormed();
  } catch {
    return `0x${bytesToHex(data)}`;
  }
}
