import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';

/** Decodes what a request asks to sign for Bitcoin. @throws TransactionError */
export function decodeBitcoin(
  payload: Extract<TransactionPayload, { kind: `bitcoin-${string}` }>,
  _context: DecodingContext,
): DecodedPayload {
  throw new TransactionError('TRANSACTION_UNSUPPORTED', 'this image does not read it', {
    kind: payload.kind,
  });
}
