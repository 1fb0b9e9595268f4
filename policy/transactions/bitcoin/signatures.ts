import { concatBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { compareBytes } from './bytes.ts';
import { encodeSignature } from './der.ts';
import { GLOBAL, INPUT } from './fields.ts';
import { type Field, type FieldMap, findField, writeKey } from './key-value-map.ts';
import { parsePsbt, serialisePsbt } from './psbt.ts';
import { classifyScript } from './script.ts';
import { SIGHASH, splitSighashType } from './sighash.ts';
import { resolveSpentOutputs } from './spent-outputs.ts';

const INPUTS_MODIFIABLE = 1;
const OUTPUTS_MODIFIABLE = 2;
const HAS_SINGLE = 4;

/** The signature of one input. */
export interface InputSignature {
  readonly index: number;
  /** Compressed key that signed a segwit v0 input; nobody reads it for a taproot one. */
  readonly publicKey: Uint8Array;
  /** 64 bytes: r ‖ s, or a signature by BIP-340. */
  readonly signature: Uint8Array;
}

/**
 * Puts signatures into a PSBT as a BIP-174 Signer does: PSBT_IN_TAP_KEY_SIG for taproot inputs, PSBT_IN_PARTIAL_SIG for
 * others, each with its sighash type, and the modifiable flags of version 2 as BIP-370 says. Verifies no signature.
 *
 * @throws TransactionError where the PSBT is malformed or an input is signed by the key already
 * @throws RangeError for an input that is not there, or a signature or key of another length
 */
export function addSignatures(bytes: Uint8Array, signatures: readonly InputSignature[]): Uint8Array {
  const psbt = parsePsbt(bytes);
  const spent = resolveSpentOutputs(psbt);
  const inputs = [...psbt.inputs];
  let { global } = psbt;
  for (const { index, publicKey, signature } of signatures) {
    const [map, output] = [inputs[index], spent[index]];
    if (map === undefined || output === undefined)
      throw new RangeError(`expected an input ${index}, found none`);
    if (signature.length !== 64) throw new RangeError(`expected 64 bytes, found ${signature.length}`);
    const isTaproot = classifyScript(output.script).type === 'p2tr';
    const stated = findField(map, INPUT.sighashType);
    const standard = isTaproot ? SIGHASH.default : SIGHASH.all;
    const sighashType = stated ? new ByteReader(stated, 'sighash type').readU32() : standard;
    inputs[index] = insertField(
      map,
      isTaproot
        ? makeTapKeySignature(signature, sighashType)
        : makePartialSignature(publicKey, signature, sighashType),
    );
    global = updateModifiable(global, sighashType);
  }
  return serialisePsbt({ ...psbt, global, inputs });
}

function makeTapKeySignature(signature: Uint8Array, sighashType: number): Field {
  // BIP-341: DEFAULT has no byte of its own.
  const suffix = sighashType === SIGHASH.default ? [] : [sighashType];
  return {
    type: INPUT.tapKeySignature,
    keyData: new Uint8Array(0),
    value: concatBytes(signature, Uint8Array.from(suffix)),
  };
}

function makePartialSignature(publicKey: Uint8Array, signature: Uint8Array, sighashType: number): Field {
  if (publicKey.length !== 33) throw new RangeError(`expected a key of 33 bytes, found ${publicKey.length}`);
  return { type: INPUT.partialSignature, keyData: publicKey, value: encodeSignature(signature, sighashType) };
}

/** Inserts a field before the first one with a greater key, which keeps a map sorted that is. */
function insertField(map: FieldMap, field: Field): FieldMap {
  const key = writeKey(field);
  if (map.some((other) => compareBytes(writeKey(other), key) === 0)) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', 'an input has a signature of this key');
  }
  const place = map.findIndex((other) => compareBytes(writeKey(other), key) > 0);
  return map.toSpliced(place === -1 ? map.length : place, 0, field);
}

function updateModifiable(global: FieldMap, sighashType: number): FieldMap {
  const { base, isAnyoneCanPay } = splitSighashType(sighashType);
  return global.map((field) => {
    if (field.type !== GLOBAL.modifiable) return field;
    let flags = field.value[0] ?? 0;
    if (!isAnyoneCanPay) flags &= ~INPUTS_MODIFIABLE;
    if (base !== SIGHASH.none) flags &= ~OUTPUTS_MODIFIABLE;
    if (base === SIGHASH.single) flags |= HAS_SINGLE;
    return { ...field, value: Uint8Array.of(flags) };
  });
}
