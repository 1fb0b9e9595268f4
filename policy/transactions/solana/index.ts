import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';

/** Decodes what a request asks to sign for Solana. @throws TransactionError */
export function decodeSolana(
  payload: Extract<TransactionPayload, { kind: `solana-${string}` }>,
  _context: DecodingContext,
): DecodedPayload {
  throw new TransactionError('TRANSACTION_UNSUPPORTED', 'this image does not read it', {
    kind: payload.kind,
  });
}
