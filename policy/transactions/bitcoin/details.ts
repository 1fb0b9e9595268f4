import { bytesToHex } from '@noble/hashes/utils.js';
import { sumAmounts } from './assertions.ts';
import { hash256 } from './hashes.ts';
import type { OwnInput } from './own-inputs.ts';
import type { Psbt } from './psbt.ts';
import { type Output, serialiseTransaction } from './raw-transaction.ts';
import { estimateVirtualSize } from './size.ts';

/** Below it, a sequence number signals that the transaction may be replaced (BIP-125). */
const FINAL_SEQUENCES = 0xffff_fffe;

/** Facts of a transaction for people and the log. */
export function describeDetails(
  psbt: Psbt,
  {
    spent,
    own,
    fee,
    change,
  }: { spent: readonly Output[]; own: readonly OwnInput[]; fee: bigint; change: readonly number[] },
): Record<string, string> {
  const { transaction } = psbt;
  const { version, lockTime, inputs, outputs } = transaction;
  const size = estimateVirtualSize(psbt, spent);
  const changeOutputs = outputs.filter((_, index) => change.includes(index));
  const ownAmount = own.reduce((sum, { index }) => sum + (spent[index]?.amount ?? 0n), 0n);
  return {
    psbtVersion: String(psbt.version),
    version: String(version),
    // The id that it has once it is signed, if no input needs a script.
    txid: bytesToHex(hash256(serialiseTransaction(transaction)).reverse()),
    inputs: String(inputs.length),
    outputs: String(outputs.length),
    ownInputs: String(own.length),
    ownAmount: String(ownAmount),
    change: String(sumAmounts(changeOutputs)),
    changeOutputs: change.join(','),
    estimatedVirtualSize: String(size),
    feeRate: `${(Number(fee) / size).toFixed(2)} sat/vB`,
    lockTime: String(lockTime),
    isReplaceable: String(inputs.some(({ sequence }) => sequence < FINAL_SEQUENCES)),
  };
}
