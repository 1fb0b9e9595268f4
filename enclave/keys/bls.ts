import { deriveBlsPublicKey, proveBlsPossession, signBls } from '../../shared/signatures/bls.ts';
import { assertSignable } from '../signer/index.ts';
import { completeKey } from './complete-key.ts';
import { KeyError } from './errors.ts';
import { assertScalar } from './scalar.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

/**
 * Holds a BLS12-381 key with public keys in G1 (draft-irtf-cfrg-bls-signature, proofs of possession). noble computes with
 * it in JavaScript: not in constant time, and with copies of the secret in BigInts that nobody can clear.
 *
 * @throws KeyError KEY_MALFORMED where `bytes` is not a scalar of the curve
 */
export function holdBls(bytes: Uint8Array) {
  assertScalar('bls12-381', bytes);
  const secret = holdSecret(bytes);
  const publicKey = deriveBlsPublicKey(secret.use());
  return completeKey(
    {
      type: 'bls12-381' as const,
      usage: 'sign' as const,
      publicKey,
      serialise: () => serialiseSecret({ type: 'bls12-381' }, secret.use()),
      destroy: () => secret.destroy(),
    },
    {
      sign(request) {
        assertSignable('bls12-381', request);
        const { payload } = request;
        if (payload.kind !== 'message')
          throw new KeyError('PAYLOAD_MISMATCH', `BLS signs a message, found ${payload.kind}`);
        if (payload.suite === undefined)
          return { signature: signBls(secret.use(), payload.message), publicKey };
        if (Buffer.compare(payload.message, publicKey) !== 0)
          throw new KeyError('PAYLOAD_MISMATCH', 'a key proves its own possession alone');
        return { signature: proveBlsPossession(secret.use()), publicKey };
      },
    },
  );
}
