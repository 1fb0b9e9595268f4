import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { areEqual } from './bytes.ts';
import { INPUT } from './fields.ts';
import { findField } from './key-value-map.ts';
import { MAX_AMOUNT } from './limits.ts';
import type { Psbt } from './psbt.ts';
import { type Output, readOutput, readPreviousTransaction } from './raw-transaction.ts';
import { classifyScript, makeP2sh, makeP2wsh } from './script.ts';

/** The output that an input spends. */
export interface SpentOutput extends Output {
  /** Whether the transaction that made it is there, whose id the outpoint names; otherwise the PSBT merely says so. */
  readonly isProven: boolean;
}

/**
 * Finds the output that each input spends, in the transaction that made it where the PSBT has that, and asserts that
 * nothing in the PSBT says otherwise.
 *
 * @throws TransactionError TRANSACTION_UNSAFE, TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL
 */
export function resolveSpentOutputs(psbt: Psbt): readonly SpentOutput[] {
  return psbt.transaction.inputs.map(({ txid, outputIndex }, index) => {
    const map = psbt.inputs[index] ?? [];
    const stated = findField(map, INPUT.witnessOutput);
    const witnessOutput = stated && readOutput(new ByteReader(stated, 'witness output'));
    const previous = findField(map, INPUT.previousTransaction);
    const output = previous ? findOutput(previous, { txid, outputIndex, index }) : witnessOutput;
    if (output === undefined) throw unsafe('the PSBT does not say what an input spends', index);
    if (
      witnessOutput !== undefined &&
      (witnessOutput.amount !== output.amount || !areEqual(witnessOutput.script, output.script))
    ) {
      throw unsafe('a previous transaction and a witness output contradict each other', index);
    }
    if (output.amount > MAX_AMOUNT) throw unsafe('an input spends more than there is', index);
    assertScripts(output.script, {
      redeemScript: findField(map, INPUT.redeemScript),
      witnessScript: findField(map, INPUT.witnessScript),
      index,
    });
    return { ...output, isProven: previous !== undefined };
  });
}

function findOutput(
  previous: Uint8Array,
  { txid, outputIndex, index }: { txid: Uint8Array; outputIndex: number; index: number },
): Output {
  const { txid: found, output } = readPreviousTransaction(previous, outputIndex);
  if (!areEqual(found, txid))
    throw unsafe('a previous transaction is not the one that an input names', index);
  if (output === undefined)
    throw unsafe('a previous transaction lacks the output that an input names', index);
  return output;
}

/** Asserts that the scripts of an input are those that its output is locked with (BIP-174, "Signer"). */
function assertScripts(
  script: Uint8Array,
  {
    redeemScript,
    witnessScript,
    index,
  }: { redeemScript: Uint8Array | undefined; witnessScript: Uint8Array | undefined; index: number },
): void {
  if (redeemScript !== undefined && !areEqual(script, makeP2sh(redeemScript))) {
    throw unsafe('a redeem script is not the one that its output names', index);
  }
  if (witnessScript !== undefined && !areEqual(redeemScript ?? script, makeP2wsh(witnessScript))) {
    throw unsafe('a witness script is not the one that its output names', index);
  }
}

/**
 * Asserts that each amount can be relied on: the transaction that made it is there, or what is signed commits to it.
 * A taproot signature commits to the amount of its own input, and without ANYONECANPAY to those of all (BIP-341).
 *
 * @throws TransactionError TRANSACTION_UNSAFE
 */
export function assertAmounts(
  spent: readonly SpentOutput[],
  { own, areAllCommitted }: { own: ReadonlySet<number>; areAllCommitted: boolean },
): void {
  for (const [index, { isProven, script }] of spent.entries()) {
    const isTaproot = classifyScript(script).type === 'p2tr';
    if (!isProven && !(isTaproot && (own.has(index) || areAllCommitted))) {
      throw unsafe('an amount is stated without the transaction that made it', index);
    }
  }
}

function unsafe(message: string, index: number): TransactionError {
  return new TransactionError('TRANSACTION_UNSAFE', message, { input: index });
}
