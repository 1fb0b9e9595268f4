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
  tokenAsset,
} from './instruction.ts';

const TAG_BYTES = 1;
/** An allowance of this amount never runs out in practice. */
const MAX_AMOUNT = 2n ** 64n - 1n;
/** `AuthorityType::AccountOwner`. */
const ACCOUNT_OWNER = 2;

/** What moves tokens: the places of its accounts, and whether the data names the decimals of the mint. */
interface AmountInstruction {
  readonly name: 'transfer' | 'approve' | 'mint' | 'burn';
  readonly from: number | null;
  /** Place of the mint; null where the instruction does not name it. */
  readonly mint: number | null;
  readonly to: number | null;
  readonly authority: number;
  readonly isChecked: boolean;
}

const AMOUNTS: Readonly<Record<number, AmountInstruction>> = {
  3: { name: 'transfer', from: 0, mint: null, to: 1, authority: 2, isChecked: false },
  4: { name: 'approve', from: 0, mint: null, to: 1, authority: 2, isChecked: false },
  7: { name: 'mint', from: null, mint: 0, to: 1, authority: 2, isChecked: false },
  8: { name: 'burn', from: 0, mint: 1, to: null, authority: 2, isChecked: false },
  12: { name: 'transfer', from: 0, mint: 1, to: 2, authority: 3, isChecked: true },
  13: { name: 'approve', from: 0, mint: 1, to: 2, authority: 3, isChecked: true },
  14: { name: 'mint', from: null, mint: 0, to: 1, authority: 2, isChecked: true },
  15: { name: 'burn', from: 0, mint: 1, to: null, authority: 2, isChecked: true },
};
const REVOKE = 5;
const SET_AUTHORITY = 6;
const CLOSE_ACCOUNT = 9;
const FREEZE_ACCOUNT = 10;
const THAW_ACCOUNT = 11;

/**
 * Decodes an instruction of SPL Token or Token-2022. The destination of a transfer is a token account, never its owner.
 * Transfer and Approve do not name the mint: their asset is null; TransferChecked and ApproveChecked do.
 *
 * @throws TransactionError TRANSACTION_MALFORMED
 *
 * Source: spl-token-interface, `TokenInstruction::unpack`.
 */
export function decodeToken(instruction: Instruction): DecodedInstruction {
  const [tag] = instruction.data;
  const amounts = tag === undefined ? undefined : AMOUNTS[tag];
  if (amounts !== undefined) return decodeAmount(instruction, amounts);
  switch (tag) {
    case REVOKE:
      readData(instruction, TAG_BYTES, () => undefined);
      if (!isAuthority(instruction, 1)) return describeCall(instruction, TAG_BYTES, true);
      return describeEffect(instruction, TAG_BYTES, 'allowance', {
        amount: 0n,
        details: { from: accountAt(instruction, 0) },
      });
    case SET_AUTHORITY:
      return decodeSetAuthority(instruction);
    case CLOSE_ACCOUNT:
      readData(instruction, TAG_BYTES, () => undefined);
      if (!isAuthority(instruction, 2)) return describeCall(instruction, TAG_BYTES, true);
      return describeEffect(instruction, TAG_BYTES, 'transfer', {
        to: accountAt(instruction, 1),
        asset: nativeAsset(instruction.network),
        details: { from: accountAt(instruction, 0) },
        features: [SOLANA_FEATURES.closeAccount],
      });
    case FREEZE_ACCOUNT:
    case THAW_ACCOUNT:
      readData(instruction, TAG_BYTES, () => undefined);
      if (!isAuthority(instruction, 2)) return describeCall(instruction, TAG_BYTES, true);
      return describeEffect(instruction, TAG_BYTES, 'call', {
        details: { account: accountAt(instruction, 0), mint: accountAt(instruction, 1) },
      });
    case undefined:
    default:
      return describeCall(instruction, TAG_BYTES, true);
  }
}

/** Tells whether the key is the authority at a place, or one of the signers of a multisig account there. */
function isAuthority(instruction: Instruction, position: number): boolean {
  const authority = accountAt(instruction, position);
  return authority === instruction.own || instruction.accounts.slice(position + 1).includes(instruction.own);
}

function decodeAmount(instruction: Instruction, places: AmountInstruction): DecodedInstruction {
  const { amount, details } = readData(instruction, TAG_BYTES, (reader) => ({
    amount: reader.integer(8),
    details: places.isChecked ? { decimals: String(reader.byte()) } : {},
  }));
  const account = (position: number | null) => (position === null ? null : accountAt(instruction, position));
  const [from, mint, to] = [account(places.from), account(places.mint), account(places.to)];
  if (!isAuthority(instruction, places.authority)) return describeCall(instruction, TAG_BYTES, true);
  const isUnlimited = places.name === 'approve' && amount === MAX_AMOUNT;
  return describeEffect(instruction, TAG_BYTES, places.name === 'approve' ? 'allowance' : 'transfer', {
    to,
    asset: mint === null ? null : tokenAsset(instruction.network, mint),
    amount: isUnlimited ? null : amount,
    details: {
      ...details,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { destination: places.name === 'approve' ? 'delegate' : 'token account' }),
    },
    features: [
      ...(isUnlimited ? [SOLANA_FEATURES.unlimitedAllowance] : []),
      ...(places.name === 'mint' ? [SOLANA_FEATURES.mint] : []),
      ...(places.name === 'burn' ? [SOLANA_FEATURES.burn] : []),
    ],
  });
}

/** A new owner takes whatever the token account holds: a transfer of an amount that nobody can know here. */
function decodeSetAuthority(instruction: Instruction): DecodedInstruction {
  const { type, to } = readData(instruction, TAG_BYTES, readAuthority);
  if (!isAuthority(instruction, 1)) return describeCall(instruction, TAG_BYTES, true);
  return describeEffect(instruction, TAG_BYTES, type === ACCOUNT_OWNER ? 'transfer' : 'call', {
    to,
    details: { account: accountAt(instruction, 0), authority: String(type) },
    features: [SOLANA_FEATURES.setAuthority],
  });
}

function readAuthority(reader: ByteReader): { type: number; to: string | null } {
  const type = reader.byte();
  const isThere = reader.byte();
  // Any other flag than 0 and 1 is refused by the program; the data then ends, or goes on, where it should not.
  return { type, to: isThere === 1 ? encodeBase58(reader.bytes(32)) : null };
}
