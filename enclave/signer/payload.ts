import {
  type Algorithm,
  describeAlgorithm,
  type KeyType,
  type PoolKeyType,
} from '../../shared/algorithms.ts';
import type { SigningInput } from '../../policy/transactions/index.ts';
import { SignerError } from './errors.ts';

const HASH_BYTES = 32;

/**
 * Asserts that a signer of `type` signs this payload with this algorithm: the one place that knows which payloads go
 * with which algorithm, and how long they are, for keys and shares alike.
 *
 * @throws SignerError ALGORITHM_MISMATCH, PAYLOAD_MISMATCH
 */
export function assertSignable(
  type: KeyType | PoolKeyType,
  { algorithm, payload }: { readonly algorithm: Algorithm; readonly payload: SigningInput },
): void {
  const rules = describeAlgorithm(algorithm);
  if (!rules.keys.includes(type)) {
    throw new SignerError('ALGORITHM_MISMATCH', `a ${type} signer was asked for ${algorithm}`, {
      type,
      algorithm,
    });
  }
  // What a decoder has read, keys of BLS12-381 sign as it is; no rule can let a client give them bytes of its own.
  const isSigned = rules.payloads.includes(payload.kind) || (isBls(algorithm) && payload.kind === 'message');
  const isOfSuite = payload.kind !== 'message' || payload.suite === undefined || isBls(algorithm);
  if (!isSigned || !isOfSuite) {
    throw new SignerError('PAYLOAD_MISMATCH', `${algorithm} signs no payload of kind ${payload.kind}`, {
      algorithm,
      kind: payload.kind,
    });
  }
  if (payload.kind === 'message') return;
  assertLength('digest', payload.digest, [payload.kind === 'digest' ? rules.digestBytes : HASH_BYTES]);
  if (payload.kind === 'taproot-sighash') assertLength('merkleRoot', payload.merkleRoot, [0, HASH_BYTES]);
}

const isBls = (algorithm: Algorithm) => algorithm === 'bls12-381-pop';

function assertLength(field: string, { length }: Uint8Array, allowed: readonly number[]): void {
  if (allowed.includes(length)) return;
  throw new SignerError(
    'PAYLOAD_MISMATCH',
    `${field} has ${length} bytes instead of ${allowed.join(' or ')}`,
    {
      field,
      length,
    },
  );
}
