import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';

/** Decodes what a request asks to sign for Ethereum. @throws TransactionError */
export function decodeEthereum(
  payload: Extract<TransactionPayload, { kind: `ethereum-${string}` }>,
  _context: DecodingContext,
): DecodedPayload {
  throw new TransactionError('TRANSACTION_UNSUPPORTED', 'this image does not read it', {
    kind: payload.kind,
  });
}
