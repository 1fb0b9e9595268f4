import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';

/** Decodes what a request asks to sign for Tezos. @throws TransactionError */
export function decodeTezos(
  payload: Extract<TransactionPayload, { kind: `tezos-${string}` }>,
  _context: DecodingContext,
): DecodedPayload {
  throw new TransactionError('TRANSACTION_UNSUPPORTED', 'this image does not read it', {
    kind: payload.kind,
  });
}
