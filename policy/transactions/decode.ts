import type { Payload } from '../../shared/api/payloads.ts';
import { decodeBitcoin } from './bitcoin/index.ts';
import { decodeBlind } from './blind.ts';
import { decodeEthereum } from './ethereum/index.ts';
import { TransactionError } from './errors.ts';
import { decodeSolana } from './solana/index.ts';
import { decodeTezos } from './tezos/index.ts';
import type { DecodedPayload, DecodingContext } from './transaction.ts';

/**
 * Decodes a payload into what rules decide on and what a signer signs. Pure and total: hostile bytes throw
 * TransactionError and nothing else, and what is signed is computed from the very bytes that were decoded.
 *
 * @throws TransactionError
 */
export function decodePayload(payload: Payload, context: DecodingContext): DecodedPayload {
  switch (payload.kind) {
    case 'ethereum-transaction':
    case 'ethereum-authorization':
    case 'ethereum-message':
    case 'ethereum-typed-data':
      return decodeEthereum(payload, context);
    case 'bitcoin-transaction':
      return decodeBitcoin(payload, context);
    case 'tezos-operation':
    case 'tezos-consensus':
    case 'tezos-data':
    case 'tezos-proof-of-possession':
      return decodeTezos(payload, context);
    case 'solana-transaction':
      return decodeSolana(payload, context);
    case 'message':
    case 'digest':
    case 'taproot-sighash':
      return decodeBlind(payload);
    default:
      // No type allows another kind; hostile data might.
      throw new TransactionError('TRANSACTION_UNSUPPORTED', 'no decoder reads this kind of payload', {
        kind: (payload satisfies never as Payload).kind,
      });
  }
}
