import {
  decodeBase58,
  encodeBase58,
  hashKey,
  printKeyHash,
  printPublicKey,
  type Tagged,
} from '../../../policy/transactions/tezos/index.ts';

/** Prefixes by the tag of a curve: of a key's hash, a public key and a signature (Octez: `Signature.V2`). */
const HASH_PREFIXES = ['tz1', 'tz2', 'tz3', 'tz4'] as const;
export const KEY_PREFIXES = ['edpk', 'sppk', 'p2pk', 'BLpk'] as const;
const SIGNATURE_PREFIXES = ['edsig', 'spsig1', 'p2sig', 'BLsig'] as const;
/** Prefix of a signature of 64 bytes that does not say its curve. */
const GENERIC = 'sig';

/** Tag of BLS12-381. */
export const BLS = 3;

/** Account of a key: its hash as clients write it, and its public key. */
export interface Account {
  readonly hash: string;
  readonly publicKey: string;
  readonly key: Tagged;
}

/** Computes the account of a public key. */
export function toAccount(key: Tagged): Account {
  return { hash: printKeyHash(hashKey(key)), publicKey: printPublicKey(key), key };
}

/** Reads a public key in Base58Check; undefined for any other text. */
export function readPublicKey(text: string): Account | undefined {
  const decoded = decodeBase58(text, KEY_PREFIXES);
  return decoded && toAccount({ tag: KEY_PREFIXES.indexOf(decoded.prefix), bytes: decoded.value });
}

/** Reads the hash of a key; undefined for any other text. */
export function readKeyHash(text: string): Tagged | undefined {
  const decoded = decodeBase58(text, HASH_PREFIXES);
  return decoded && { tag: HASH_PREFIXES.indexOf(decoded.prefix), bytes: decoded.value };
}

/** A signature as a client wrote it; `tag` is undefined where its prefix does not say the curve. */
export interface WrittenSignature {
  readonly tag: number | undefined;
  readonly bytes: Uint8Array;
}

/** Reads a signature in Base58Check, under its curve's prefix or under `sig`; undefined for any other text. */
export function readSignature(text: string): WrittenSignature | undefined {
  const decoded = decodeBase58(text, [...SIGNATURE_PREFIXES, GENERIC]);
  if (decoded === undefined) return undefined;
  const { prefix, value } = decoded;
  return { tag: prefix === GENERIC ? undefined : SIGNATURE_PREFIXES.indexOf(prefix), bytes: value };
}

/** Writes a signature under its curve's own prefix. */
export function printSignature(tag: number, signature: Uint8Array): string {
  return encodeBase58(SIGNATURE_PREFIXES[tag] ?? GENERIC, signature);
}
