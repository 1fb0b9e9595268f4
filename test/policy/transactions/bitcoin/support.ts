import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as scure from '@scure/btc-signer';
import { Transaction as BitcoinJsTransaction } from 'bitcoinjs-lib';
import {
  decodePayload,
  type DecodedPayload,
  TransactionError,
} from '../../../../policy/transactions/index.ts';

export const MAINNET = 'bip122:000000000019d6689c085ae165831e93';
export const SECRET = new Uint8Array(32).fill(7);
export const PUBLIC_KEY = secp256k1.getPublicKey(SECRET, true);
export const OTHER_SECRET = new Uint8Array(32).fill(8);
export const OTHER_KEY = secp256k1.getPublicKey(OTHER_SECRET, true);
const MERKLE_ROOT = new Uint8Array(32).fill(0x55);

/** Returns the code of the TransactionError that a call throws; fails on any other error, and on none. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
  throw new RangeError('expected a TransactionError, found none');
}

const multisig = scure.p2wsh(scure.p2ms(2, [OTHER_KEY, PUBLIC_KEY]));

/** What an input spends, as scure describes it. */
export const FORMS = {
  p2wpkh: { ...scure.p2wpkh(PUBLIC_KEY), tapMerkleRoot: undefined },
  multisig: { ...multisig, tapMerkleRoot: undefined },
  p2tr: { ...scure.p2tr(PUBLIC_KEY.subarray(1)), tapMerkleRoot: undefined },
  'p2tr-tree': {
    script: concatBytes(
      Uint8Array.of(0x51, 32),
      scure.utils.taprootTweakPubkey(PUBLIC_KEY.subarray(1), MERKLE_ROOT)[0],
    ),
    tapInternalKey: PUBLIC_KEY.subarray(1),
    tapMerkleRoot: MERKLE_ROOT,
  },
  'foreign-p2wpkh': { ...scure.p2wpkh(OTHER_KEY), tapMerkleRoot: undefined },
  'foreign-p2tr': { ...scure.p2tr(OTHER_KEY.subarray(1)), tapMerkleRoot: undefined },
  'foreign-p2pkh': { ...scure.p2pkh(OTHER_KEY), tapMerkleRoot: undefined },
  p2pkh: { ...scure.p2pkh(PUBLIC_KEY), tapMerkleRoot: undefined },
} as const;
export type Form = keyof typeof FORMS;

export interface InputSpec {
  readonly form: Form;
  readonly amount: bigint;
  readonly sighashType?: number;
  readonly sequence?: number;
}
export interface OutputSpec {
  readonly script: Uint8Array;
  readonly amount: bigint;
}
export interface Spec {
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly OutputSpec[];
  readonly version?: 1 | 2 | 3;
  readonly lockTime?: number;
}

/** A transaction that pays `output` from an input, as bytes without witnesses, and its id in the order of its hash. */
export function makePrevious(
  output: OutputSpec,
  seed: number,
  outputIndex = seed % 3,
): { bytes: Uint8Array; txid: Uint8Array; outputIndex: number } {
  const transaction = new BitcoinJsTransaction();
  transaction.version = 2;
  transaction.addInput(new Uint8Array(32).fill(0x60 + (seed % 64)), seed);
  for (let index = 0; index < outputIndex; index += 1) {
    transaction.addOutput(FORMS['foreign-p2pkh'].script, 1000n + BigInt(seed));
  }
  transaction.addOutput(output.script, output.amount);
  return { bytes: transaction.toBuffer(), txid: transaction.getHash(), outputIndex };
}

/** Makes a transaction with scure: the library whose PSBTs are read. */
export function makeTransaction({ inputs, outputs, version = 2, lockTime = 0 }: Spec): scure.Transaction {
  const transaction = new scure.Transaction({
    version,
    lockTime,
    allowUnknownInputs: true,
    allowUnknownOutputs: true,
    allowLegacyWitnessUtxo: true,
    disableScriptCheck: true,
  });
  for (const [index, { form, amount, sighashType, sequence }] of inputs.entries()) {
    const { script, tapMerkleRoot } = FORMS[form];
    const previous = makePrevious({ script, amount }, index);
    const { witnessScript, tapInternalKey } = FORMS[form] as {
      witnessScript?: Uint8Array;
      tapInternalKey?: Uint8Array;
    };
    transaction.addInput({
      txid: previous.txid.toReversed(),
      index: previous.outputIndex,
      ...(form.includes('p2tr') ? {} : { nonWitnessUtxo: previous.bytes }),
      ...(form.includes('p2pkh') ? {} : { witnessUtxo: { script, amount } }),
      ...(witnessScript && { witnessScript }),
      ...(tapInternalKey && { tapInternalKey }),
      ...(tapMerkleRoot && { tapMerkleRoot }),
      ...(sighashType !== undefined && { sighashType }),
      sequence: sequence ?? 0xffff_fffd,
    });
  }
  for (const output of outputs) transaction.addOutput(output);
  return transaction;
}

export function makePsbt(spec: Spec, psbtVersion: 0 | 2 = 0): Uint8Array {
  return makeTransaction(spec).toPSBT(psbtVersion);
}

export type SigningAlgorithm = 'ecdsa-secp256k1' | 'bip340' | 'frost-secp256k1-taproot';

export function decode(
  psbt: Uint8Array,
  algorithm: SigningAlgorithm = 'ecdsa-secp256k1',
  networks: readonly string[] = [MAINNET, 'eip155:1'],
): DecodedPayload {
  return decodePayload(
    { kind: 'bitcoin-transaction', psbt: Buffer.from(psbt).toString('base64') },
    { algorithm, publicKey: PUBLIC_KEY, networks, ownKeys: [{ id: 'main', publicKey: PUBLIC_KEY }] },
  );
}

/** The digest that scure signs for an input. */
export function scureDigest(transaction: scure.Transaction, { inputs }: Spec, index: number): string {
  const input = inputs[index];
  if (input === undefined) throw new RangeError(`no input ${index}`);
  const scripts = inputs.map(({ form }) => FORMS[form].script);
  const amounts = inputs.map(({ amount }) => amount);
  const digest = input.form.includes('p2tr')
    ? transaction.preimageWitnessV1(index, scripts, input.sighashType ?? 0, amounts)
    : transaction.preimageWitnessV0(index, scriptCodeOf(input.form), input.sighashType ?? 1, input.amount);
  return bytesToHex(digest);
}

/** The digest that bitcoinjs-lib signs for an input. */
export function bitcoinJsDigest(unsigned: Uint8Array, { inputs }: Spec, index: number): string {
  const transaction = BitcoinJsTransaction.fromBuffer(unsigned);
  const input = inputs[index];
  if (input === undefined) throw new RangeError(`no input ${index}`);
  const digest = input.form.includes('p2tr')
    ? transaction.hashForWitnessV1(
        index,
        inputs.map(({ form }) => FORMS[form].script),
        inputs.map(({ amount }) => amount),
        input.sighashType ?? 0,
      )
    : transaction.hashForWitnessV0(index, scriptCodeOf(input.form), input.amount, input.sighashType ?? 1);
  return bytesToHex(digest);
}

function scriptCodeOf(form: Form): Uint8Array {
  if (form === 'multisig') return multisig.witnessScript ?? new Uint8Array(0);
  return scure.p2pkh(form === 'p2wpkh' ? PUBLIC_KEY : OTHER_KEY).script;
}

export function digestOf({ signings }: DecodedPayload, index: number): string {
  const input = signings.find((signing) => signing.index === index)?.input;
  if (input === undefined || input.kind === 'message') return '';
  return bytesToHex(input.digest);
}

/** A PSBT in pieces, in hex: the pairs of each map, in their order. */
export interface Maps {
  global: [string, string][];
  inputs: [string, string][][];
  outputs: [string, string][][];
}

/** Takes a well-formed PSBT apart, whose lengths are below 65,536 bytes. */
export function splitPsbt(bytes: Uint8Array, inputs: number): Maps {
  let offset = 5;
  const take = () => {
    const first = bytes[offset] ?? 0;
    const length = first < 0xfd ? first : (bytes[offset + 1] ?? 0) + 256 * (bytes[offset + 2] ?? 0);
    offset += first < 0xfd ? 1 : 3;
    offset += length;
    return bytesToHex(bytes.subarray(offset - length, offset));
  };
  const maps: [string, string][][] = [];
  while (offset < bytes.length) {
    const map: [string, string][] = [];
    for (let key = take(); key !== ''; key = take()) map.push([key, take()]);
    maps.push(map);
  }
  const [global = [], ...others] = maps;
  return { global, inputs: others.slice(0, inputs), outputs: others.slice(inputs) };
}

/** Puts a PSBT together, whatever its pieces say. */
export function joinPsbt({ global, inputs, outputs }: Maps): Uint8Array {
  const size = ({ length }: { length: number }) => {
    const bytes = length / 2;
    return bytes < 0xfd ? hex(bytes, 1) : `fd${hex(bytes, 2)}`;
  };
  const maps = [global, ...inputs, ...outputs].map(
    (map) => `${map.map(([key, value]) => size(key) + key + size(value) + value).join('')}00`,
  );
  return hexToBytes(`70736274ff${maps.join('')}`);
}

/** Writes a number little-endian. */
export function hex(value: number | bigint, bytes: number): string {
  const digits = value.toString(16).padStart(2 * bytes, '0');
  return bytesToHex(hexToBytes(digits).reverse());
}

/** Changes pieces of a PSBT and puts it together again. */
export function editPsbt(bytes: Uint8Array, inputs: number, edit: (maps: Maps) => void): Uint8Array {
  const maps = splitPsbt(bytes, inputs);
  edit(maps);
  return joinPsbt(maps);
}

/** The address of a form on the main network, written by scure. */
export function addressOf(form: Form): string {
  return scure.Address().encode(scure.OutScript.decode(FORMS[form].script));
}
