import type { DecisionPredicate } from '../../audit/receipt/index.ts';
import type { Signing } from '../../policy/transactions/index.ts';
import type { Algorithm } from '../../shared/algorithms.ts';
import type { HeldKey } from '../keys/index.ts';
import type { KeySignature } from '../signer/index.ts';
import { digestSignature } from './decision-log.ts';

/** A signature, and the input of the transaction that it is for; undefined where there is one signature. */
export interface IndexedSignature extends KeySignature {
  readonly index: number | undefined;
}

/** Signs everything that a payload needs a signature of. @throws SignerError */
export function signAll(
  key: HeldKey,
  algorithm: Algorithm,
  signings: readonly Signing[],
): readonly IndexedSignature[] {
  return signings.map(({ index, input }) => ({ ...key.sign({ algorithm, payload: input }), index }));
}

/** Describes a signature as the log has it: by its digest. */
export function recordSignature({
  index,
  publicKey,
  signature,
}: IndexedSignature): DecisionPredicate['signatures'][number] {
  return {
    index: index ?? null,
    publicKey: Buffer.from(publicKey).toString('hex'),
    sha256: digestSignature(signature),
  };
}
