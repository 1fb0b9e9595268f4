import { getAddress, TypedDataEncoder } from 'ethers';
import { hashTypedData } from 'viem';
import { formatAddress } from '../../../../policy/transactions/ethereum/account.ts';
import { recoverAuthority } from '../../../../policy/transactions/ethereum/authorization.ts';
import {
  parseTransaction,
  type UnsignedTransaction,
} from '../../../../policy/transactions/ethereum/unsigned-transaction.ts';
import type { GethResponse } from './peers/geth-peer.ts';
import { bare, decodeDocument, decodeTransaction, digestOf, refusalOf } from './support.ts';
import type { Document } from './typed-documents.ts';

/** How two readers got on: both take it, both refuse it, or we alone refuse it, for a reason that is not the bytes'. */
export type Agreement = 'both take it' | 'both refuse it' | 'we refuse more';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The fields of a transaction in the words of the reader by go-ethereum. */
function describe(transaction: UnsignedTransaction): Record<string, unknown> {
  const { maxFeePerGas, maxPriorityFeePerGas, to } = transaction;
  return {
    type: transaction.type,
    chainId: String(transaction.chainId),
    nonce: String(transaction.nonce),
    gas: String(transaction.gas),
    maxFeePerGas: String(maxFeePerGas),
    maxPriorityFeePerGas: String(maxPriorityFeePerGas ?? maxFeePerGas),
    value: String(transaction.value),
    data: hex(transaction.data),
    to: to === null ? '' : getAddress(`0x${hex(to)}`),
    accessList: transaction.accessList.map((entry) => ({
      address: getAddress(`0x${hex(entry.address)}`),
      storageKeys: entry.storageKeys.map(hex),
    })),
    maxFeePerBlobGas: String(transaction.maxFeePerBlobGas),
    blobHashes: transaction.blobHashes.map(hex),
    authorizations: transaction.authorizations.map((authorization) => ({
      chainId: String(authorization.chainId),
      address: getAddress(`0x${hex(authorization.address)}`),
      nonce: String(authorization.nonce),
      authority: formatAddress(recoverAuthority(authorization, 'authorization')),
    })),
  };
}

/** Writes a value with the keys of its objects in order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

/**
 * Holds our reading of a transaction against go-ethereum's.
 *
 * @throws Error where they differ: we take what it refuses, fields or digests are not the same, or we call malformed what
 *   it takes, but for numbers beyond 256 bits, which it takes in some fields
 */
export function compareTransaction(bytes: string, response: GethResponse): Agreement {
  let digest = '';
  const refusal = refusalOf(() => {
    digest = bare(digestOf(decodeTransaction(bytes)));
  });
  if (refusal !== 'none') {
    if (response.error !== undefined) return 'both refuse it';
    const isOfBytes = refusal === 'TRANSACTION_MALFORMED' || refusal === 'TRANSACTION_NOT_CANONICAL';
    const isWide = Object.values(response.fields ?? {}).some(
      (field) => typeof field === 'string' && /^\d{77,}$/.test(field) && BigInt(field) >> 256n > 0n,
    );
    if (isOfBytes && !isWide) throw new Error(`we refuse with ${refusal} what go-ethereum takes: ${bytes}`);
    return 'we refuse more';
  }
  if (response.error !== undefined)
    throw new Error(`go-ethereum refuses (${response.error}) what we take: ${bytes}`);
  if (response.digest !== digest) throw new Error(`another digest: ${bytes}`);
  const { transaction } = parseTransaction(new Uint8Array(Buffer.from(bytes, 'hex')));
  const [ours, theirs] = [sorted(describe(transaction)), sorted(response.fields)];
  if (ours !== theirs) throw new Error(`other fields: ${bytes}\n${ours}\n${theirs}`);
  return 'both take it';
}

/**
 * Holds our digest of a typed-data document against go-ethereum's, ethers' and viem's.
 *
 * @throws Error where we take what one of them refuses, or digests differ
 */
export function compareDocument(document: Document, response: GethResponse): Agreement {
  let digest = '';
  const refusal = refusalOf(() => {
    digest = digestOf(decodeDocument(document));
  });
  if (refusal !== 'none') return response.error === undefined ? 'we refuse more' : 'both refuse it';
  const text = JSON.stringify(document);
  const { EIP712Domain: _, ...types } = document.types;
  const { domain, primaryType, message } = document;
  // go-ethereum takes an empty name or version of a domain for one that is missing, and refuses the document.
  const isEmptied = Object.values(domain).includes('') && response.error !== undefined;
  const digests = {
    ...(isEmptied ? {} : { 'go-ethereum': response.error ?? `0x${response.digest}` }),
    ethers: TypedDataEncoder.hash(domain, types, message),
    viem: hashTypedData({ domain, types: document.types, primaryType, message }),
  };
  for (const [name, theirs] of Object.entries(digests))
    if (theirs !== digest) throw new Error(`another digest than that of ${name}: ${text}`);
  return 'both take it';
}
