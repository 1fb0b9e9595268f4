import { computeAddress, encodeRlp, keccak256 as hash, SigningKey } from 'ethers';
import {
  decodePayload,
  type DecodedPayload,
  TransactionError,
} from '../../../../policy/transactions/index.ts';
import type { TransactionPayload } from '../../../../shared/api/payloads.ts';

/** The key that signs in these tests, and whose account acts. */
export const SIGNING_KEY = new SigningKey(`0x${'11'.repeat(32)}`);
export const SOURCE = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
export const TOKEN = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
export const OTHER = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';

const AUTHORITY_KEY = new SigningKey(`0x${'22'.repeat(32)}`);
/** The account whose key signs authorisations in these tests. */
export const AUTHORITY = computeAddress(AUTHORITY_KEY);

/** What the decoder knows: the key, which serves these networks. */
export function makeContext(networks: readonly string[] = ['eip155:1', 'eip155:10', 'eip155:137']) {
  const publicKey = new Uint8Array(Buffer.from(SIGNING_KEY.compressedPublicKey.slice(2), 'hex'));
  return { algorithm: 'ecdsa-secp256k1', publicKey, networks, ownKeys: [] };
}

function minimal(hex: string): string {
  return `0x${bare(hex).replace(/^(?:00)+/, '')}`;
}

/** Strips 0x. */
export function bare(hex: string): string {
  return hex.replace(/^0x/, '');
}

type EthereumPayload = Extract<TransactionPayload, { kind: `ethereum-${string}` }>;

export function decode(payload: EthereumPayload, networks?: readonly string[]): DecodedPayload {
  return decodePayload(payload, makeContext(networks));
}

export function decodeTransaction(hex: string, networks?: readonly string[]): DecodedPayload {
  return decode({ kind: 'ethereum-transaction', transaction: bare(hex) }, networks);
}

export function decodeDocument(document: unknown, networks?: readonly string[]): DecodedPayload {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  return decode({ kind: 'ethereum-typed-data', document: text }, networks);
}

/** The digest that is signed, in hex. */
export function digestOf(decoded: DecodedPayload): string {
  const [signing, ...others] = decoded.signings;
  if (others.length > 0 || signing?.input.kind !== 'digest') throw new TypeError('expected one digest');
  return `0x${Buffer.from(signing.input.digest).toString('hex')}`;
}

/** The code with which something is refused; any other error than a TransactionError is thrown on. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
  return 'none';
}

/** An item of RLP in hex with 0x, as ethers writes it: a string, or a list. */
export type Item = string | readonly Item[];

const ADDRESS = TOKEN.toLowerCase();
const KEY = `0x${'ab'.repeat(32)}`;
const BLOB = `0x01${'cd'.repeat(31)}`;
const ACCESS_LIST: Item = [[ADDRESS, [KEY]]];

/** A valid transaction of each type as fields, with its type's byte. */
export const TRANSACTIONS: Readonly<Record<string, { prefix: string; names: string[]; items: Item[] }>> = {
  legacy: {
    prefix: '',
    names: ['nonce', 'gasPrice', 'gas', 'to', 'value', 'data', 'chainId', 'r', 's'],
    items: ['0x09', '0x04a817c800', '0x5208', ADDRESS, '0x0de0b6b3a7640000', '0x', '0x01', '0x', '0x'],
  },
  'EIP-2930': {
    prefix: '01',
    names: ['chainId', 'nonce', 'gasPrice', 'gas', 'to', 'value', 'data', 'accessList'],
    items: ['0x01', '0x09', '0x04a817c800', '0x7530', ADDRESS, '0x01', '0x', ACCESS_LIST],
  },
  'EIP-1559': {
    prefix: '02',
    names: [
      'chainId',
      'nonce',
      'maxPriorityFeePerGas',
      'maxFeePerGas',
      'gas',
      'to',
      'value',
      'data',
      'accessList',
    ],
    items: ['0x01', '0x09', '0x05', '0x04a817c800', '0x7530', ADDRESS, '0x01', '0x', ACCESS_LIST],
  },
  'EIP-4844': {
    prefix: '03',
    names: [
      'chainId',
      'nonce',
      'maxPriorityFeePerGas',
      'maxFeePerGas',
      'gas',
      'to',
      'value',
      'data',
      'accessList',
      'maxFeePerBlobGas',
      'blobHashes',
    ],
    items: [
      '0x01',
      '0x09',
      '0x05',
      '0x04a817c800',
      '0x7530',
      ADDRESS,
      '0x01',
      '0x',
      ACCESS_LIST,
      '0x07',
      [BLOB],
    ],
  },
  'EIP-7702': {
    prefix: '04',
    names: [
      'chainId',
      'nonce',
      'maxPriorityFeePerGas',
      'maxFeePerGas',
      'gas',
      'to',
      'value',
      'data',
      'accessList',
      'authorizations',
    ],
    items: [
      '0x01',
      '0x09',
      '0x05',
      '0x04a817c800',
      '0x7530',
      ADDRESS,
      '0x01',
      '0x',
      [],
      [signAuthorization({ chainId: 1, nonce: 3 })],
    ],
  },
};

/** Signs an authorisation for the code at {@link TOKEN} by a key of its own; its authority is {@link AUTHORITY}. */
export function signAuthorization({ chainId, nonce }: { chainId: number; nonce: number }): Item[] {
  const integer = (value: number) =>
    value === 0 ? '0x' : minimal(`0x${value.toString(16).padStart(8, '0')}`);
  const fields = [integer(chainId), ADDRESS, integer(nonce)];
  const signature = AUTHORITY_KEY.sign(hash(`0x05${bare(encodeRlp(fields))}`));
  return [...fields, signature.yParity === 0 ? '0x' : '0x01', minimal(signature.r), minimal(signature.s)];
}

/** Encodes a transaction's fields, some of them replaced. */
export function encodeTransaction(type: string, changes: Readonly<Record<string, Item>> = {}): string {
  const { prefix, names, items } = TRANSACTIONS[type] ?? { prefix: '', names: [], items: [] };
  for (const name of Object.keys(changes)) if (!names.includes(name)) throw new TypeError(`no field ${name}`);
  return prefix + bare(encodeRlp(items.map((item, index) => changes[names[index] ?? ''] ?? item) as never));
}
