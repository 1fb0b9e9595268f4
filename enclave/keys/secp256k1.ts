import { hash, randomBytes } from 'node:crypto';
import type { KeyUsage } from '../../shared/algorithms.ts';
import { completeKey } from './complete-key.ts';
import type { Curves, Secp256k1Key } from './curves.ts';
import { KeyError } from './errors.ts';
import type { SigningInput } from '../../policy/transactions/index.ts';
import { assertSignable, type KeySignature } from '../signer/index.ts';
import { holdCurveKey } from './curve-key.ts';

/**
 * Holds a secp256k1 key, which signs by BIP-340, and by ECDSA with public key recovery over a digest or the SHA-256 of
 * a message.
 *
 * @throws KeyError KEY_MALFORMED where `secret` is not a scalar of the curve
 */
export function holdSecp256k1(curves: Curves, secret: Uint8Array, poolUsage?: KeyUsage) {
  const { use, ...held } = holdCurveKey('secp256k1', curves.holdSecp256k1(secret), poolUsage);
  const { publicKey } = held;
  return completeKey(
    { ...held, type: 'secp256k1' as const, usage: 'sign' as const },
    {
      sign(request) {
        assertSignable('secp256k1', request);
        const { algorithm, payload } = request;
        if (algorithm === 'bip340') return signBip340(use(), payload, randomBytes(32));
        if (payload.kind === 'taproot-sighash')
          throw new KeyError('PAYLOAD_MISMATCH', 'ECDSA signs a message or digest, found taproot-sighash');
        const digest =
          payload.kind === 'message' ? hash('sha256', payload.message, 'buffer') : payload.digest;
        return { ...use().signEcdsa(digest), publicKey };
      },
    },
  );
}

/**
 * Signs by BIP-340 with the given auxiliary randomness (32 bytes), under the key itself for `digest` and under the
 * tweaked output key for `taproot-sighash`.
 *
 * @throws KeyError PAYLOAD_MISMATCH
 */
export function signBip340(key: Secp256k1Key, payload: SigningInput, auxiliary: Uint8Array): KeySignature {
  if (payload.kind === 'message')
    throw new KeyError('PAYLOAD_MISMATCH', 'BIP-340 signs a digest or taproot-sighash, found a message');
  return payload.kind === 'digest'
    ? key.signBip340(payload.digest, auxiliary)
    : key.signTaproot(payload.digest, auxiliary, payload.merkleRoot);
}
