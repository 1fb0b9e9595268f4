import { hexToBytes } from '@noble/hashes/utils.js';
import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { decodeAuthorization } from './authorization.ts';
import { decodeMessage } from './message.ts';
import { decodeTransaction } from './transaction.ts';
import { decodeTypedData } from './typed-data/index.ts';

export { computeAccount } from './account.ts';
export { integerToBytes } from './integers.ts';
export { encodeRlp, type RlpItem } from './rlp.ts';

/**
 * Decodes what a request asks to sign for Ethereum.
 *
 * @throws TransactionError
 */
export function decodeEthereum(
  payload: Extract<TransactionPayload, { kind: `ethereum-${string}` }>,
  context: DecodingContext,
): DecodedPayload {
  if (context.algorithm !== 'ecdsa-secp256k1') {
    throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'Ethereum signs with ecdsa-secp256k1', {
      expected: 'ecdsa-secp256k1',
      found: context.algorithm,
    });
  }
  switch (payload.kind) {
    case 'ethereum-transaction':
      return decodeTransaction(readHex(payload.transaction), context);
    case 'ethereum-authorization':
      return decodeAuthorization(readHex(payload.authorization), context);
    case 'ethereum-message':
      return decodeMessage(readHex(payload.message), context);
    case 'ethereum-typed-data':
    default:
      return decodeTypedData(payload.document, context);
  }
}

function readHex(text: string): Uint8Array {
  try {
    return hexToBytes(text);
  } catch (error) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'expected bytes in hex', {}, error);
  }
}
