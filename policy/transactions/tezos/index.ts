import { hexToBytes } from '@noble/hashes/utils.js';
import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { type ConsensusPosition, decodeConsensus, readPosition } from './consensus.ts';
import { decodeOperation } from './operation.ts';

export type { ConsensusKind, ConsensusPosition } from './consensus.ts';

type TezosPayload = Extract<TransactionPayload, { kind: `tezos-${string}` }>;
type ConsensusPayload = Extract<TezosPayload, { kind: 'tezos-consensus' }>;

/** Decodes what a request asks to sign for Tezos. @throws TransactionError */
export function decodeTezos(payload: TezosPayload, context: DecodingContext): DecodedPayload {
  const bytes = hexToBytes(payload.operation);
  return payload.kind === 'tezos-operation'
    ? decodeOperation(bytes, context)
    : decodeConsensus(bytes, context);
}

/** Reads where a consensus payload stands, for its watermark (policy/watermarks). @throws TransactionError */
export function readConsensusPosition(payload: ConsensusPayload): ConsensusPosition {
  return readPosition(hexToBytes(payload.operation));
}
