import { TransactionError } from '../errors.ts';
import { SIGNED_AUTHORIZATION, type SignedAuthorization } from './authorization.ts';
import { decodeCanonical } from './canonical.ts';
import { byteString, type Codec, fixedBytes, listOf, optionalAddress, record, uint } from './codec.ts';

export interface AccessListEntry {
  readonly address: Uint8Array;
  readonly storageKeys: readonly Uint8Array[];
}

/** The fields of an unsigned transaction, alike for all types; those that a type lacks are empty, zero or null. */
export interface UnsignedTransaction {
  readonly type: keyof typeof TYPE_NAMES;
  readonly chainId: bigint;
  readonly nonce: bigint;
  /** The most that a unit of gas may cost, in wei; the gas price of types 0 and 1. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint | null;
  readonly gas: bigint;
  readonly to: Uint8Array | null;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
  readonly maxFeePerBlobGas: bigint;
  readonly blobHashes: readonly Uint8Array[];
  readonly authorizations: readonly SignedAuthorization[];
}

/** The standard that defines each type, by the first byte of its envelope (EIP-2718); 0 has none. */
export const TYPE_NAMES = {
  0: 'EIP-155',
  1: 'EIP-2930',
  2: 'EIP-1559',
  3: 'EIP-4844',
  4: 'EIP-7702',
} as const;

/** Fields as they are in the bytes: `gasPrice` where a type has one price. */
type Fields = Pick<UnsignedTransaction, 'chainId' | 'nonce' | 'gas' | 'to' | 'value' | 'data'> &
  Partial<Omit<UnsignedTransaction, 'type'>> & { readonly gasPrice?: bigint };

const number = uint(256);
const nonce = uint(64);
const gas = uint(64);
const chainId = number;
const accessList = listOf(record({ address: fixedBytes(20), storageKeys: listOf(fixedBytes(32)) }));
const call = { gas, to: optionalAddress, value: number, data: byteString };
const pricedGas = { maxPriorityFeePerGas: number, maxFeePerGas: number };
const empty = fixedBytes(0);

const LAYOUTS: Readonly<Record<UnsignedTransaction['type'], Codec<Fields>>> = {
  0: record({ nonce, gasPrice: number, ...call, chainId, r: empty, s: empty }),
  1: record({ chainId, nonce, gasPrice: number, ...call, accessList }),
  2: record({ chainId, nonce, ...pricedGas, ...call, accessList }),
  3: record({
    chainId,
    nonce,
    ...pricedGas,
    ...call,
    accessList,
    maxFeePerBlobGas: number,
    blobHashes: listOf(fixedBytes(32)),
  }),
  4: record({
    chainId,
    nonce,
    ...pricedGas,
    ...call,
    accessList,
    authorizations: listOf(SIGNED_AUTHORIZATION),
  }),
};

/**
 * Parses an unsigned transaction, and encodes what was read again: what comes back beside the fields is signed.
 *
 * @throws TransactionError TRANSACTION_UNSUPPORTED for another type; the errors of {@link decodeCanonical}
 */
export function parseTransaction(bytes: Uint8Array): {
  transaction: UnsignedTransaction;
  encoded: Uint8Array;
} {
  const first = bytes[0] ?? 0;
  const type = first >= 0xc0 ? 0 : first;
  if ((type === 0 && first < 0xc0) || !isKnownType(type)) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', `type ${first} is not read`, { found: first });
  }
  const prefix = bytes.subarray(0, type === 0 ? 0 : 1);
  const { value: fields, encoded } = decodeCanonical(bytes, prefix, LAYOUTS[type]);
  const transaction = {
    type,
    chainId: fields.chainId,
    nonce: fields.nonce,
    maxFeePerGas: fields.maxFeePerGas ?? fields.gasPrice ?? 0n,
    maxPriorityFeePerGas: fields.maxPriorityFeePerGas ?? null,
    gas: fields.gas,
    to: fields.to,
    value: fields.value,
    data: fields.data,
    accessList: fields.accessList ?? [],
    maxFeePerBlobGas: fields.maxFeePerBlobGas ?? 0n,
    blobHashes: fields.blobHashes ?? [],
    authorizations: fields.authorizations ?? [],
  };
  return { transaction, encoded };
}

function isKnownType(type: number): type is UnsignedTransaction['type'] {
  return type in TYPE_NAMES;
}
