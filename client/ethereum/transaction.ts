import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { encodeRlp, integerToBytes, type RlpItem } from '../../policy/transactions/ethereum/index.ts';

export interface AccessListItem {
  readonly address: Uint8Array;
  readonly storageKeys: readonly Uint8Array[];
}

/** A signature on secp256k1 from which the public key recovers. */
export interface RecoverableSignature {
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: number;
}

/** An authorisation of EIP-7702 with its signature. */
export interface SignedAuthorization extends RecoverableSignature {
  readonly chainId: bigint;
  readonly address: Uint8Array;
  readonly nonce: bigint;
}

interface CommonFields {
  readonly chainId: bigint;
  readonly nonce: bigint;
  readonly gas: bigint;
  /** Null creates a contract. */
  readonly to: Uint8Array | null;
  readonly value: bigint;
  readonly data: Uint8Array;
}
interface FeeMarketFields extends CommonFields {
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerGas: bigint;
  readonly accessList: readonly AccessListItem[];
}

/** A transaction before it is signed, with every field: type 0 is that of EIP-155. */
export type EthereumTransaction =
  | (CommonFields & { readonly type: 0; readonly gasPrice: bigint })
  | (CommonFields & {
      readonly type: 1;
      readonly gasPrice: bigint;
      readonly accessList: readonly AccessListItem[];
    })
  | (FeeMarketFields & { readonly type: 2 })
  | (FeeMarketFields & {
      readonly type: 3;
      readonly maxFeePerBlobGas: bigint;
      readonly blobVersionedHashes: readonly Uint8Array[];
    })
  | (FeeMarketFields & { readonly type: 4; readonly authorizationList: readonly SignedAuthorization[] });

const number = integerToBytes;
const empty = new Uint8Array();

/** Encodes what is signed: an envelope of EIP-2718, or the nine fields of EIP-155. */
export function encodeUnsigned(transaction: EthereumTransaction): Uint8Array {
  const fields = listFields(transaction);
  return transaction.type === 0
    ? encodeRlp([...fields, number(transaction.chainId), empty, empty])
    : envelope(transaction.type, fields);
}

/** Encodes a signed transaction, as nodes of the network take it (type 3: without its blobs). */
export function encodeSigned(
  transaction: EthereumTransaction,
  { r, s, yParity }: RecoverableSignature,
): Uint8Array {
  const fields = listFields(transaction);
  // EIP-155: chain id and parity are one number.
  const v = transaction.type === 0 ? transaction.chainId * 2n + 35n + BigInt(yParity) : BigInt(yParity);
  const signed = [...fields, number(v), number(r), number(s)];
  return transaction.type === 0 ? encodeRlp(signed) : envelope(transaction.type, signed);
}

const envelope = (type: number, fields: readonly RlpItem[]) =>
  concatBytes(Uint8Array.of(type), encodeRlp(fields));

function listFields(each: EthereumTransaction): readonly RlpItem[] {
  const call = [number(each.gas), each.to ?? empty, number(each.value), each.data];
  if (each.type === 0) return [number(each.nonce), number(each.gasPrice), ...call];
  const start = [number(each.chainId), number(each.nonce)];
  const accessList = each.accessList.map(({ address, storageKeys }) => [address, storageKeys]);
  if (each.type === 1) return [...start, number(each.gasPrice), ...call, accessList];
  const priced = [number(each.maxPriorityFeePerGas), number(each.maxFeePerGas)];
  const market = [...start, ...priced, ...call, accessList];
  if (each.type === 2) return market;
  return each.type === 3
    ? [...market, number(each.maxFeePerBlobGas), each.blobVersionedHashes]
    : [...market, each.authorizationList.map(listAuthorization)];
}

const listAuthorization = ({ chainId, address, nonce, yParity, r, s }: SignedAuthorization) => [
  number(chainId),
  address,
  number(nonce),
  number(BigInt(yParity)),
  number(r),
  number(s),
];

/** Encodes what the owner of an account signs to hand it to code (EIP-7702). */
export function encodeAuthorization({
  chainId,
  address,
  nonce,
}: Pick<SignedAuthorization, 'chainId' | 'address' | 'nonce'>): Uint8Array {
  return envelope(0x05, [number(chainId), address, number(nonce)]);
}

/** Writes a signature in 65 bytes, hex with 0x: r, s, and 27 or 28. */
export function formatSignature({ r, s, yParity }: RecoverableSignature): string {
  const word = (value: bigint) => value.toString(16).padStart(64, '0');
  return `0x${word(r)}${word(s)}${(27 + yParity).toString(16)}`;
}

export const formatBytes = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`;
export const hashBytes = (bytes: Uint8Array): Uint8Array => keccak_256(bytes);
