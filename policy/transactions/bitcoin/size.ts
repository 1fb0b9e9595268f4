import { findField, type FieldMap } from './key-value-map.ts';
import { INPUT } from './fields.ts';
import type { Psbt } from './psbt.ts';
import { type Output, serialiseTransaction } from './raw-transaction.ts';
import { classifyScript, parseMultisig } from './script.ts';

const WITNESS_SCALE = 4;
/** Marker and flag of BIP-144. */
const SEGWIT_BYTES = 2;
/** Longest DER signature with a low s, its sighash type, and its length. */
const ECDSA_BYTES = 73;
const SCHNORR_BYTES = 65;
const KEY_BYTES = 34;

/** Estimates the virtual size in bytes (BIP-141) that a transaction has once it is signed. */
export function estimateVirtualSize(psbt: Psbt, spent: readonly Output[]): number {
  const base = serialiseTransaction(psbt.transaction).length;
  const weight = spent.reduce(
    (sum, { script }, index) => sum + estimateWeight(script, psbt.inputs[index] ?? []),
    base * WITNESS_SCALE + SEGWIT_BYTES,
  );
  return Math.ceil(weight / WITNESS_SCALE);
}

/** Weight of an input's script and witness; the least for a form that is not known. */
function estimateWeight(script: Uint8Array, map: FieldMap): number {
  const { type } = classifyScript(script);
  const witnessScript = findField(map, INPUT.witnessScript);
  const multisig = witnessScript && parseMultisig(witnessScript);
  if (type === 'p2wpkh') return 1 + ECDSA_BYTES + KEY_BYTES;
  if (type === 'p2tr') return 1 + SCHNORR_BYTES;
  if (type === 'p2pkh') return 1 + WITNESS_SCALE * (ECDSA_BYTES + KEY_BYTES);
  // A count, an empty item, signatures, and the script behind its length.
  if (witnessScript && multisig) return 2 + multisig.threshold * ECDSA_BYTES + 3 + witnessScript.length;
  return 1;
}
