import { hexToBytes } from '@noble/hashes/utils.js';
import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { type ConsensusPosition, decodeConsensus, readPosition } from './consensus.ts';
import { decodeData } from './data.ts';
import { decodeOperation } from './operation.ts';
import { decodePossession } from './possession.ts';

export { printKeyHash, printPublicKey, type Tagged } from './address.ts';
export { hashKey } from './assertions.ts';
export { decodeBase58, encodeBase58 } from './base58.ts';
export type { ConsensusKind, ConsensusPosition } from './consensus.ts';

type TezosPayload = Extract<TransactionPayload, { kind: `tezos-${string}` }>;
type ConsensusPayload = Extract<TezosPayload, { kind: 'tezos-consensus' }>;

/** Decodes what a request asks to sign for Tezos. @throws TransactionError */
export function decodeTezos(payload: TezosPayload, context: DecodingContext): DecodedPayload {
  if (payload.kind === 'tezos-data') return decodeData(hexToBytes(payload.data), context);
  if (payload.kind === 'tezos-proof-of-possession') {
    return decodePossession(hexToBytes(payload.publicKey), context);
  }
  const bytes = hexToBytes(payload.operation);
  return payload.kind === 'tezos-operation'
    ? decodeOperation(bytes, context)
    : decodeConsensus(bytes, context);
}

/**
 * Reads where a consensus payload stands, for its watermark (policy/watermarks).
 *
 * @param source the signing account: `Transaction.source`
 * @throws TransactionError
 */
export function readConsensusPosition({ operation }: ConsensusPayload, source: string): ConsensusPosition {
  return readPosition(hexToBytes(operation), source.startsWith('tz4') ? 'bls' : 'plain');
}
