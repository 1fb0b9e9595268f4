import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { encodeBase58Check, encodeWitnessAddress } from './address.ts';
import { areEqual } from './bytes.ts';
import { hash160 } from './hashes.ts';
import type { BitcoinNetwork } from './networks.ts';

const OP_0 = 0x00;
const OP_1 = 0x51;
const OP_16 = 0x60;
const OP_RETURN = 0x6a;
const OP_CHECKMULTISIG = 0xae;
const KEY_BYTES = 33;

/** The form of an output's script, with the hash or program in it. */
export type ScriptForm =
  | { readonly type: 'p2pkh' | 'p2sh'; readonly hash: Uint8Array }
  | {
      readonly type: 'p2wpkh' | 'p2wsh' | 'p2tr' | 'witness';
      readonly version: number;
      readonly program: Uint8Array;
    }
  | { readonly type: 'op-return' | 'nonstandard' };

/** Tells the form of an output's script. `witness` is a program that no soft fork has given a meaning. */
export function classifyScript(script: Uint8Array): ScriptForm {
  const [first, second] = script;
  if (first === OP_RETURN) return { type: 'op-return' };
  if (isFramed(script, [0x76, 0xa9, 0x14], 20, [0x88, 0xac]))
    return { type: 'p2pkh', hash: script.subarray(3, 23) };
  if (isFramed(script, [0xa9, 0x14], 20, [0x87])) return { type: 'p2sh', hash: script.subarray(2, 22) };
  const isVersion = first === OP_0 || (first !== undefined && first >= OP_1 && first <= OP_16);
  // BIP-141: a version and one push of 2 to 40 bytes.
  if (!isVersion || second !== script.length - 2 || second < 2 || second > 40) return { type: 'nonstandard' };
  const version = first === OP_0 ? 0 : first - OP_1 + 1;
  const program = script.subarray(2);
  if (version === 0 && second === 20) return { type: 'p2wpkh', version, program };
  if (version === 0 && second === 32) return { type: 'p2wsh', version, program };
  // BIP-141: an output of version 0 with another length can never be spent.
  if (version === 0) return { type: 'nonstandard' };
  return { type: version === 1 && second === 32 ? 'p2tr' : 'witness', version, program };
}

/** Writes an output's script as an address; null where it has none. */
export function toAddress(script: Uint8Array, network: BitcoinNetwork): string | null {
  const form = classifyScript(script);
  if ('hash' in form) return encodeBase58Check(network.versions[form.type], form.hash);
  return 'program' in form ? encodeWitnessAddress(network.prefix, form.version, form.program) : null;
}

/** The script that pays to a key's hash (BIP-141). */
export function makeP2wpkh(publicKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(OP_0, 20), hash160(publicKey));
}

/** The script that pays to a witness script's hash (BIP-141). */
export function makeP2wsh(witnessScript: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(OP_0, 32), sha256(witnessScript));
}

/** The script that pays to an x-only output key (BIP-341). */
export function makeP2tr(outputKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(OP_1, 32), outputKey);
}

/** The script that pays to a script's hash (BIP-16). */
export function makeP2sh(redeemScript: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0xa9, 20), hash160(redeemScript), Uint8Array.of(0x87));
}

/** The script that pays to a key's hash by the rules before BIP-141; also the script code of P2WPKH (BIP-143). */
export function makeP2pkh(publicKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0x76, 0xa9, 20), hash160(publicKey), Uint8Array.of(0x88, 0xac));
}

/** A script `OP_m <keys> OP_n OP_CHECKMULTISIG` of compressed keys. */
export interface Multisig {
  readonly threshold: number;
  readonly keys: readonly Uint8Array[];
}

/** Reads a script of m of n compressed keys, n at most 16, each key once; undefined for any other script. */
export function parseMultisig(script: Uint8Array): Multisig | undefined {
  const count = (script.length - 3) / (KEY_BYTES + 1);
  const threshold = (script[0] ?? 0) - OP_1 + 1;
  if (!Number.isInteger(count) || threshold < 1 || threshold > count || count > 16) return undefined;
  if (script.at(-2) !== OP_1 + count - 1 || script.at(-1) !== OP_CHECKMULTISIG) return undefined;
  const keys: Uint8Array[] = [];
  for (let offset = 1; offset < script.length - 2; offset += KEY_BYTES + 1) {
    const key = script.subarray(offset + 1, offset + 1 + KEY_BYTES);
    const isCompressed = script[offset] === KEY_BYTES && (key[0] === 0x02 || key[0] === 0x03);
    if (!isCompressed || keys.some((other) => areEqual(other, key))) return undefined;
    keys.push(key);
  }
  return { threshold, keys };
}

function isFramed(
  script: Uint8Array,
  head: readonly number[],
  length: number,
  tail: readonly number[],
): boolean {
  return (
    script.length === head.length + length + tail.length &&
    head.every((byte, index) => script[index] === byte) &&
    tail.every((byte, index) => script[head.length + length + index] === byte)
  );
}
