import { keccak_256 } from '@noble/hashes/sha3.js';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext, Effect } from '../transaction.ts';
import { computeAccount, computeCreatedAddress, formatAddress } from './account.ts';
import { describeAuthorization, recoverAuthority } from './authorization.ts';
import { describeCall } from './calldata.ts';
import { makeEffect, nameCoin } from './effects.ts';
import { type EthereumFeature, listFeatures } from './features.ts';
import { toHex } from './integers.ts';
import { requireNetwork } from './networks.ts';
import {
  type AccessListEntry,
  parseTransaction,
  TYPE_NAMES,
  type UnsignedTransaction,
} from './unsigned-transaction.ts';
import { assertValid, computeMaximumFee } from './validity.ts';

/**
 * The longest unsigned transaction, in bytes. Code of a creation is below the limit of EIP-3860 (49,152 bytes) by it.
 */
export const MAX_ETHEREUM_TRANSACTION_BYTES = 32 * 1024;

/**
 * Decodes an unsigned transaction: the nine fields of EIP-155, or an envelope of types 1 to 4 (EIP-2930, 1559, 4844,
 * 7702). The digest is keccak-256 of the bytes that the decoded fields encode to, which are those given.
 *
 * @throws TransactionError
 */
export function decodeTransaction(bytes: Uint8Array, context: DecodingContext): DecodedPayload {
  if (bytes.length > MAX_ETHEREUM_TRANSACTION_BYTES) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', `a transaction of ${bytes.length} bytes`, {
      maximum: MAX_ETHEREUM_TRANSACTION_BYTES,
    });
  }
  const { transaction, encoded } = parseTransaction(bytes);
  const network = requireNetwork(transaction.chainId, context);
  assertValid(transaction);
  const { address: account, text: source } = computeAccount(context.publicKey);
  const features = new Set<EthereumFeature>();
  const effects = [
    ...(transaction.to === null
      ? describeCreation(transaction, account, network)
      : describeRecipient(transaction, transaction.to, { network, source, features })),
    ...transaction.authorizations.map((authorization, index) =>
      describeAuthorization(
        authorization,
        formatAddress(recoverAuthority(authorization, `authorizations[${index}]`)),
      ),
    ),
  ];
  collectFeatures(transaction, features);
  return {
    transaction: {
      kind: 'ethereum-transaction',
      network,
      source,
      effects,
      fee: { asset: nameCoin(network), amount: computeMaximumFee(transaction) },
      nonce: transaction.nonce,
      gas: transaction.gas,
      features: listFeatures(features),
      details: describeDetails(transaction),
    },
    signings: [{ input: { kind: 'digest', digest: keccak_256(encoded) } }],
  };
}

/** Describes what the recipient gets: an amount, a call, or both. No amount and no data is a transfer of zero. */
function describeRecipient(
  { value, data }: UnsignedTransaction,
  to: Uint8Array,
  call: { network: string; source: string; features: Set<EthereumFeature> },
): Effect[] {
  const contract = formatAddress(to);
  const effects: Effect[] = [];
  if (value > 0n || data.length === 0) {
    effects.push(makeEffect('transfer', { to: contract, asset: nameCoin(call.network), amount: value }));
  }
  if (data.length > 0) effects.push(...describeCall(data, { ...call, contract }));
  return effects;
}

function describeCreation(transaction: UnsignedTransaction, account: Uint8Array, network: string): Effect[] {
  const { value, data, nonce } = transaction;
  const created = formatAddress(computeCreatedAddress(account, nonce));
  const details = { codeBytes: String(data.length), codeHash: toHex(keccak_256(data)) };
  const deploy = makeEffect('deploy', { contract: created, details });
  if (value === 0n) return [deploy];
  return [makeEffect('transfer', { to: created, asset: nameCoin(network), amount: value }), deploy];
}

function collectFeatures(transaction: UnsignedTransaction, features: Set<EthereumFeature>): void {
  if (transaction.to === null) features.add('ethereum:creation');
  if (transaction.blobHashes.length > 0) features.add('ethereum:blobs');
  if (hasDuplicates(transaction.accessList)) features.add('ethereum:duplicate-access-list');
  if (transaction.authorizations.some(({ chainId }) => chainId === 0n)) features.add('ethereum:any-chain');
}

/** Tells whether an address stands twice in an access list, or a storage key twice under one entry. */
function hasDuplicates(list: readonly AccessListEntry[]): boolean {
  return hasTwins(list.map((entry) => entry.address)) || list.some((entry) => hasTwins(entry.storageKeys));
}

function hasTwins(values: readonly Uint8Array[]): boolean {
  return new Set(values.map(toHex)).size < values.length;
}

function describeDetails(transaction: UnsignedTransaction): Record<string, string> {
  const { accessList, blobHashes, maxPriorityFeePerGas } = transaction;
  const keys = accessList.reduce((sum, entry) => sum + entry.storageKeys.length, 0);
  return {
    type: TYPE_NAMES[transaction.type],
    maxFeePerGas: transaction.maxFeePerGas.toString(),
    ...(maxPriorityFeePerGas === null ? {} : { maxPriorityFeePerGas: maxPriorityFeePerGas.toString() }),
    ...(accessList.length === 0
      ? {}
      : { accessList: `${accessList.length} addresses, ${keys} storage keys` }),
    ...(blobHashes.length === 0
      ? {}
      : {
          maxFeePerBlobGas: transaction.maxFeePerBlobGas.toString(),
          blobHashes: blobHashes.map(toHex).join(' '),
        }),
  };
}
