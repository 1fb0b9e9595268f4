import { encodeTransaction } from '../../policy/transactions/json.ts';
import type { PendingRequestDocument } from '../../shared/api/requests.ts';
import { InternalError } from '../../shared/errors.ts';
import type { PayloadReader, SigningRequestToRead } from './reader.ts';

/**
 * Reads a request that waits as the node reads it, with what its approvers need in order to read it themselves.
 *
 * @throws TransactionError
 */
export function describeForReview(
  reader: PayloadReader,
  request: SigningRequestToRead,
): Pick<PendingRequestDocument, 'transaction' | 'context'> {
  const decoded = reader.read(request);
  if (decoded === undefined) throw new InternalError('expected a key of a request that waits');
  const { publicKey, networks, ownKeys } = reader.contextOf(request);
  return {
    transaction: encodeTransaction(decoded.transaction),
    context: {
      publicKey: hex(publicKey),
      networks: [...networks],
      ownKeys: ownKeys.map((own) => ({ id: own.id, publicKey: hex(own.publicKey) })),
    },
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
