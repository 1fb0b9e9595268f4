import { TransactionError } from '../errors.ts';
import { decodeBase58, encodeBase58, type Prefix } from './base58.ts';
import { isEqual, Reader, Writer } from './bytes.ts';
import { type Codec, fixed } from './codec.ts';

/** Curves in the order of their tags (Octez: `Signature.V2`): prefix of a key's hash, prefix and length of the key. */
const CURVES = [
  { hash: 'tz1', key: 'edpk', length: 32 },
  { hash: 'tz2', key: 'sppk', length: 33 },
  { hash: 'tz3', key: 'p2pk', length: 33 },
  { hash: 'tz4', key: 'BLpk', length: 48 },
] as const;
/** Tag of BLS12-381. */
export const BLS = 3;
const HASH_BYTES = 20;

/** A public key, or the hash of one: the tag of its curve, and its bytes. */
export interface Tagged {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

function tagged(field: string, lengthOf: (curve: (typeof CURVES)[number]) => number): Codec<Tagged> {
  return {
    read: (reader) => {
      const tag = reader.unsigned(1);
      const curve = CURVES[tag];
      if (curve === undefined) {
        throw new TransactionError('TRANSACTION_MALFORMED', 'no curve has this tag', { field, found: tag });
      }
      return { tag, bytes: reader.take(lengthOf(curve)) };
    },
    write: (writer, { tag, bytes }) => {
      writer.unsigned(1, tag);
      writer.append(bytes);
    },
  };
}

export const keyHash = tagged('public key hash', () => HASH_BYTES);
export const publicKey = tagged('public key', ({ length }) => length);

/** Account or contract: `prefix` tells which, and gives its notation. */
export interface Address {
  readonly prefix: 'tz1' | 'tz2' | 'tz3' | 'tz4' | 'KT1' | 'sr1';
  readonly hash: Uint8Array;
}
const ADDRESSES = ['tz1', 'tz2', 'tz3', 'tz4', 'KT1', 'sr1'] as const satisfies readonly Prefix[];

/** Tags of an address (Octez: `Destination_repr`); an operation knows the first two (`Contract_repr`). */
const ORIGINATED_TAGS = { KT1: 1, sr1: 3 } as const;

/** An address in 22 bytes: those of a contract end with a byte of padding. */
function address(originated: readonly (keyof typeof ORIGINATED_TAGS)[]): Codec<Address> {
  return {
    read: (reader) => {
      const tag = reader.unsigned(1);
      if (tag === 0) {
        const hash = keyHash.read(reader);
        return { prefix: CURVES[hash.tag]?.hash ?? 'tz1', hash: hash.bytes };
      }
      const prefix = originated.find((candidate) => ORIGINATED_TAGS[candidate] === tag);
      if (prefix === undefined) {
        throw new TransactionError('TRANSACTION_MALFORMED', 'no address has this tag', { found: tag });
      }
      const hash = reader.take(HASH_BYTES);
      reader.take(1);
      return { prefix, hash };
    },
    write: (writer, { prefix, hash }) => {
      if (prefix === 'KT1' || prefix === 'sr1') {
        writer.unsigned(1, ORIGINATED_TAGS[prefix]);
        writer.append(hash);
      } else {
        writer.unsigned(1, 0);
        keyHash.write(writer, { tag: CURVES.findIndex((curve) => curve.hash === prefix), bytes: hash });
      }
      if (prefix === 'KT1' || prefix === 'sr1') writer.unsigned(1, 0);
    },
  };
}

/** Destination of an operation: an account or a contract. */
export const contract = address(['KT1']);

/** A contract alone. */
export const originated: Codec<Address> = {
  read: (reader) => {
    const read = contract.read(reader);
    if (read.prefix === 'KT1') return read;
    throw new TransactionError('TRANSACTION_MALFORMED', 'an account stands where a contract has to');
  },
  write: (writer, value) => contract.write(writer, value),
};

export const smartRollup: Codec<Uint8Array> = fixed(HASH_BYTES);

const destination = address(['KT1', 'sr1']);

/** Reads an address from 22 bytes of a Micheline expression; undefined for bytes that are none, or another spelling. */
export function readAddressBytes(bytes: Uint8Array): Address | undefined {
  if (bytes.length !== HASH_BYTES + 2) return undefined;
  try {
    const read = destination.read(new Reader(bytes));
    const writer = new Writer();
    destination.write(writer, read);
    return isEqual(writer.finish(), bytes) ? read : undefined;
  } catch (error) {
    if (error instanceof TransactionError) return undefined;
    throw error;
  }
}

/** Tells whether a text is an address in Base58Check, as it is written. */
export function isAddressText(text: string): boolean {
  return decodeBase58(text, ADDRESSES) !== undefined;
}

export function printAddress({ prefix, hash }: Address): string {
  return encodeBase58(prefix, hash);
}

export function printKeyHash({ tag, bytes }: Tagged): string {
  return encodeBase58(CURVES[tag]?.hash ?? 'tz1', bytes);
}

export function printPublicKey({ tag, bytes }: Tagged): string {
  return encodeBase58(CURVES[tag]?.key ?? 'edpk', bytes);
}
