import { decodePayload, MAX_EFFECTS, TransactionError } from '../../../policy/transactions/index.ts';
import { encodeTransaction, makeContext, TRANSACTIONS } from '../../policy/transactions/ethereum/support.ts';
import { EVERYTHING, MAIL, PERMIT } from '../../policy/transactions/ethereum/typed-documents.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const KINDS = ['transaction', 'authorization', 'message', 'document'] as const;
const context = makeContext();

function toPayload(kind: number, bytes: Buffer) {
  const hex = bytes.toString('hex');
  if (kind === 0) return { kind: 'ethereum-transaction', transaction: hex } as const;
  if (kind === 1) return { kind: 'ethereum-authorization', authorization: hex } as const;
  if (kind === 2) return { kind: 'ethereum-message', message: hex } as const;
  return { kind: 'ethereum-typed-data', document: bytes.toString('utf8') } as const;
}

/** Payloads of Ethereum; the first byte says of which kind. Whatever is taken has effects and one digest. */
export const target: FuzzTarget = {
  maxBytes: 4096,
  seeds: () => [
    ...Object.keys(TRANSACTIONS).map((type) => Buffer.from(`00${encodeTransaction(type)}`, 'hex')),
    Buffer.from(`0105d70194${'11'.repeat(20)}03`, 'hex'),
    Buffer.from('\u0002hello'),
    ...[EVERYTHING, MAIL, PERMIT].map((document) => Buffer.from(`\u0003${JSON.stringify(document)}`)),
  ],
  fuzz(data) {
    try {
      const kind = (data[0] ?? 0) % KINDS.length;
      const { transaction, signings } = decodePayload(
        toPayload(kind, Buffer.from(data.subarray(1))),
        context,
      );
      const { effects } = transaction;
      assertThat(
        effects.length > 0 && effects.length <= MAX_EFFECTS,
        'a payload has effects, and not too many',
      );
      const [signing] = signings;
      assertThat(signings.length === 1 && signing?.input.kind === 'digest', 'one digest is signed');
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error;
    }
  },
};
