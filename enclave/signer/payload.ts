import { type Algorithm, describeAlgorithm, type KeyType } from '../../shared/algorithms.ts';
import { type BlindPayload } from '../../shared/api/bodies.ts';
import { SignerError } from './errors.ts';

const DIGEST_BYTES = 32;

/** A payload in bytes: `digest` and a non-empty `merkleRoot` are 32 bytes long. */
export type PayloadBytes =
  | { readonly kind: 'message'; readonly message: Uint8Array }
  | { readonly kind: 'digest'; readonly digest: Uint8Array }
  | { readonly kind: 'taproot-sighash'; readonly digest: Uint8Array; readonly merkleRoot: Uint8Array };

/** Decodes the payload of a request whose schema has been checked, hex included. */
export function decodePayload(payload: BlindPayload): PayloadBytes {
  if (payload.kind === 'message') return { kind: 'message', message: Buffer.from(payload.message, 'hex') };
  const digest = Buffer.from(payload.digest, 'hex');
  if (payload.kind === 'digest') return { kind: 'digest', digest };
  return { kind: 'taproot-sighash', digest, merkleRoot: Buffer.from(payload.merkleRoot, 'hex') };
}

/**
 * Asserts that a signer of `type` signs this payload with this algorithm: the one place that knows which payloads go
 * with which algorithm, and how long they are, for keys and shares alike.
 *
 * @throws SignerError ALGORITHM_MISMATCH, PAYLOAD_MISMATCH
 */
export function assertSignable(
  type: KeyType,
  { algorithm, payload }: { readonly algorithm: Algorithm; readonly payload: PayloadBytes },
): void {
  const rules = describeAlgorithm(algorithm);
  if (rules.key !== type) {
    throw new SignerError('ALGORITHM_MISMATCH', `a ${type} signer was asked for ${algorithm}`, {
      type,
      algorithm,
    });
  }
  if (!rules.payloads.includes(payload.kind)) {
    throw new SignerError('PAYLOAD_MISMATCH', `${algorithm} signs no payload of kind ${payload.kind}`, {
      algorithm,
      kind: payload.kind,
    });
  }
  if (payload.kind === 'message') return;
  assertLength('digest', payload.digest, [DIGEST_BYTES]);
  if (payload.kind === 'taproot-sighash') assertLength('merkleRoot', payload.merkleRoot, [0, DIGEST_BYTES]);
}

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
