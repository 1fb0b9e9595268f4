import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import type { Field, FieldMap } from './key-value-map.ts';
import { isEncodedSignature } from './der.ts';
import { readOutput } from './raw-transaction.ts';
import { isTapTree } from './tap-tree.ts';

/** Types of keys by map, as BIP-174's registry numbers them; only what is read by name elsewhere. */
export const GLOBAL = {
  unsignedTransaction: 0x00,
  transactionVersion: 0x02,
  fallbackLockTime: 0x03,
  inputCount: 0x04,
  outputCount: 0x05,
  modifiable: 0x06,
  signedMessage: 0x09,
  version: 0xfb,
} as const;
export const INPUT = {
  previousTransaction: 0x00,
  witnessOutput: 0x01,
  partialSignature: 0x02,
  sighashType: 0x03,
  redeemScript: 0x04,
  witnessScript: 0x05,
  finalScript: 0x07,
  finalWitness: 0x08,
  previousTxid: 0x0e,
  outputIndex: 0x0f,
  sequence: 0x10,
  requiredTime: 0x11,
  requiredHeight: 0x12,
  tapKeySignature: 0x13,
  tapScriptSignature: 0x14,
  tapLeafScript: 0x15,
  tapInternalKey: 0x17,
  tapMerkleRoot: 0x18,
} as const;
export const OUTPUT = { amount: 0x03, script: 0x04 } as const;

export type MapName = 'global' | 'input' | 'output';

/** What a type of key demands. `isKey` and `isValue` say whether data is well-formed; without `isKey` there is none. */
interface FieldRule {
  readonly isKey?: (keyData: Uint8Array) => boolean;
  readonly isValue: (value: Uint8Array, keyData: Uint8Array) => boolean;
  /** The only version of PSBT that may have it; undefined where both may. */
  readonly version?: 0 | 2;
}

type Check = (bytes: Uint8Array) => boolean;
const hasLength =
  (...lengths: readonly number[]): Check =>
  ({ length }) =>
    lengths.includes(length);
const isAnything: Check = () => true;
const isPublicKey: Check = (key) =>
  key.length === 33 ? key[0] === 0x02 || key[0] === 0x03 : key.length === 65 && key[0] === 0x04;
/** Fingerprint of a master key, then child numbers of four bytes each. */
const isDerivation: Check = ({ length }) => length >= 4 && length % 4 === 0;
const isCompactSize: Check = (value) => readsWhole(value, (reader) => reader.readCompactSize());
const isOutput: Check = (value) => readsWhole(value, readOutput);
/** Hashes of leaves behind their number, then a derivation (BIP-371). */
const isTapDerivation: Check = (value) =>
  readsWhole(value, (reader) => {
    reader.take(32 * reader.readCompactSize());
    const start = reader.offset;
    reader.take(4);
    while (!reader.isAtEnd) reader.take(4);
    return start;
  });
/** Leaf version and parity, internal key, and up to 128 hashes (BIP-341). */
const isControlBlock: Check = ({ length }) =>
  length >= 33 && (length - 33) % 32 === 0 && (length - 33) / 32 <= 128;
const LOCK_TIME_THRESHOLD = 500_000_000;
const readU32 = (value: Uint8Array) => new ByteReader(value, 'field of the PSBT').readU32();

const U32 = { isValue: hasLength(4) };
const ANYTHING = { isValue: isAnything };
const U32_V2 = { ...U32, version: 2 } as const;
const COUNT = { isValue: isCompactSize, version: 2 } as const;

const RULES: Readonly<Record<MapName, ReadonlyMap<number, FieldRule>>> = {
  global: new Map<number, FieldRule>([
    [GLOBAL.unsignedTransaction, { ...ANYTHING, version: 0 }],
    // The depth, which an extended key has in its fifth byte, is the number of child numbers (BIP-32).
    [0x01, { isKey: hasLength(78), isValue: ({ length }, key) => length === 4 + 4 * (key[4] ?? 0) }],
    [GLOBAL.transactionVersion, U32_V2],
    [GLOBAL.fallbackLockTime, U32_V2],
    [GLOBAL.inputCount, COUNT],
    [GLOBAL.outputCount, COUNT],
    [GLOBAL.modifiable, { isValue: hasLength(1), version: 2 }],
    [GLOBAL.version, U32],
  ]),
  input: new Map<number, FieldRule>([
    [INPUT.previousTransaction, ANYTHING],
    [INPUT.witnessOutput, { isValue: isOutput }],
    [INPUT.partialSignature, { isKey: isPublicKey, isValue: isEncodedSignature }],
    [INPUT.sighashType, U32],
    [INPUT.redeemScript, ANYTHING],
    [INPUT.witnessScript, ANYTHING],
    [0x06, { isKey: isPublicKey, isValue: isDerivation }],
    [INPUT.finalScript, ANYTHING],
    [INPUT.finalWitness, ANYTHING],
    [INPUT.previousTxid, { isValue: hasLength(32), version: 2 }],
    [INPUT.outputIndex, U32_V2],
    [INPUT.sequence, U32_V2],
    [
      INPUT.requiredTime,
      { isValue: (value) => value.length === 4 && readU32(value) >= LOCK_TIME_THRESHOLD, version: 2 },
    ],
    [
      INPUT.requiredHeight,
      {
        isValue: (value) => value.length === 4 && readU32(value) > 0 && readU32(value) < LOCK_TIME_THRESHOLD,
        version: 2,
      },
    ],
    [INPUT.tapKeySignature, { isValue: hasLength(64, 65) }],
    // An x-only key and the hash of a leaf.
    [INPUT.tapScriptSignature, { isKey: hasLength(64), isValue: hasLength(64, 65) }],
    // A script, and its leaf version.
    [INPUT.tapLeafScript, { isKey: isControlBlock, isValue: ({ length }) => length > 0 }],
    [0x16, { isKey: hasLength(32), isValue: isTapDerivation }],
    [INPUT.tapInternalKey, { isValue: hasLength(32) }],
    [INPUT.tapMerkleRoot, { isValue: hasLength(32) }],
  ]),
  output: new Map<number, FieldRule>([
    // Redeem script, witness script.
    [0x00, ANYTHING],
    [0x01, ANYTHING],
    [0x02, { isKey: isPublicKey, isValue: isDerivation }],
    [OUTPUT.amount, { isValue: hasLength(8), version: 2 }],
    [OUTPUT.script, { ...ANYTHING, version: 2 }],
    // Internal key, tree, derivation.
    [0x05, { isValue: hasLength(32) }],
    [0x06, { isValue: isTapTree }],
    [0x07, { isKey: hasLength(32), isValue: isTapDerivation }],
  ]),
};

/**
 * Asserts that each field of a known type is well-formed and belongs to the version, and returns whether there are
 * fields of other types: proprietary ones, and those that nothing here reads.
 *
 * @throws TransactionError TRANSACTION_MALFORMED
 */
export function assertFields(map: FieldMap, name: MapName, version: 0 | 2): { hasUnknown: boolean } {
  let hasUnknown = false;
  for (const field of map) {
    const rule = RULES[name].get(field.type);
    if (rule === undefined) hasUnknown = true;
    else assertField(field, { name, version, rule });
  }
  return { hasUnknown };
}

function assertField(
  { type, keyData, value }: Field,
  { name, version, rule }: { name: MapName; version: 0 | 2; rule: FieldRule },
): void {
  const refuse = (message: string) => {
    throw new TransactionError('TRANSACTION_MALFORMED', `the PSBT has a field ${message}`, {
      map: name,
      type,
    });
  };
  if (rule.version !== undefined && rule.version !== version) refuse(`that version ${version} has not`);
  if (!(rule.isKey ?? hasLength(0))(keyData)) refuse('whose key is malformed');
  if (!rule.isValue(value, keyData)) refuse('whose value is malformed');
}

function readsWhole(value: Uint8Array, read: (reader: ByteReader) => unknown): boolean {
  const reader = new ByteReader(value, 'field of the PSBT');
  read(reader);
  return reader.isAtEnd;
}
