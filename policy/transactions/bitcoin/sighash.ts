import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { InternalError } from '../../../shared/errors.ts';
import { writeBytes, writeU32, writeU64 } from './bytes.ts';
import { hash256, hashTapSighash } from './hashes.ts';
import {
  type Output,
  serialiseOutpoint,
  serialiseOutput,
  type UnsignedTransaction,
} from './raw-transaction.ts';

export const SIGHASH = { default: 0, all: 1, none: 2, single: 3, anyoneCanPay: 0x80 } as const;
const BASE_MASK = 3;
const NO_HASH = new Uint8Array(32);

/** Parts of a sighash type: which outputs and which inputs a signature commits to. */
export function splitSighashType(type: number): { readonly base: number; readonly isAnyoneCanPay: boolean } {
  return { base: type & BASE_MASK, isAnyoneCanPay: (type & SIGHASH.anyoneCanPay) !== 0 };
}

/** Computes the signature hashes of one transaction's inputs. The caller has checked the sighash type. */
export interface SighashComputer {
  /** BIP-143; `scriptCode` without its length. */
  computeV0(index: number, scriptCode: Uint8Array, type: number): Uint8Array;
  /** BIP-341, key path, without an annex. */
  computeTaproot(index: number, type: number): Uint8Array;
}

/** @param spent the output that each input spends */
export function createSighashComputer(
  transaction: UnsignedTransaction,
  spent: readonly Output[],
): SighashComputer {
  const { inputs, outputs } = transaction;
  const version = writeU32(transaction.version);
  const lockTime = writeU32(transaction.lockTime);
  const outpoints = once(() => concatBytes(...inputs.map(serialiseOutpoint)));
  const sequences = once(() => concatBytes(...inputs.map(({ sequence }) => writeU32(sequence))));
  const allOutputs = once(() => concatBytes(...outputs.map(serialiseOutput)));
  const v0 = {
    outpoints: once(() => hash256(outpoints())),
    sequences: once(() => hash256(sequences())),
    outputs: once(() => hash256(allOutputs())),
  };
  const taproot = {
    inputs: once(() =>
      concatBytes(
        sha256(outpoints()),
        sha256(concatBytes(...spent.map(({ amount }) => writeU64(amount)))),
        sha256(concatBytes(...spent.map(({ script }) => writeBytes(script)))),
        sha256(sequences()),
      ),
    ),
    outputs: once(() => sha256(allOutputs())),
  };
  return {
    computeV0(index, scriptCode, type) {
      const { base, isAnyoneCanPay } = splitSighashType(type);
      const input = at(inputs, index);
      const isAll = base === SIGHASH.all;
      return hash256(
        concatBytes(
          version,
          isAnyoneCanPay ? NO_HASH : v0.outpoints(),
          isAnyoneCanPay || !isAll ? NO_HASH : v0.sequences(),
          serialiseOutpoint(input),
          writeBytes(scriptCode),
          writeU64(at(spent, index).amount),
          writeU32(input.sequence),
          isAll
            ? v0.outputs()
            : base === SIGHASH.single
              ? hash256(serialiseOutput(at(outputs, index)))
              : NO_HASH,
          lockTime,
          writeU32(type),
        ),
      );
    },
    computeTaproot(index, type) {
      const { base, isAnyoneCanPay } = splitSighashType(type);
      const [input, output] = [at(inputs, index), at(spent, index)];
      const none = new Uint8Array(0);
      return hashTapSighash(
        concatBytes(
          // Epoch 0.
          Uint8Array.of(0, type),
          version,
          lockTime,
          isAnyoneCanPay ? none : taproot.inputs(),
          base === SIGHASH.default || base === SIGHASH.all ? taproot.outputs() : none,
          // Key path, no annex.
          Uint8Array.of(0),
          isAnyoneCanPay
            ? concatBytes(
                serialiseOutpoint(input),
                writeU64(output.amount),
                writeBytes(output.script),
                writeU32(input.sequence),
              )
            : writeU32(index),
          base === SIGHASH.single ? sha256(serialiseOutput(at(outputs, index))) : none,
        ),
      );
    },
  };
}

function once<T>(compute: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: compute() }).value;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new InternalError(`expected ${index + 1} items, found ${items.length}`);
  return item;
}
