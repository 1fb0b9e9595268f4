import { hash, randomBytes } from 'node:crypto';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { InternalError } from '../../shared/errors.ts';
import { KeyError } from './errors.ts';
import { assertSignable, type KeySignature, type PayloadBytes } from '../signer/index.ts';
import { type HeldKey } from './held-key.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';
import { tweakForTaproot } from './taproot.ts';

/**
 * secp256k1: ECDSA with public key recovery and BIP-340, by noble. OpenSSL has the curve, but neither BIP-340 nor
 * recovery nor the signing of a digest through Node. Noble's scalar multiplication has no secret-dependent branches
 * or table look-ups by design; it stands on JavaScript's BigInt, whose arithmetic is not constant time and whose
 * temporary values cannot be cleared. What an attacker could time is the enclave's answer over a vsock.
 */
export function holdSecp256k1(bytes: Uint8Array): HeldKey {
  if (!secp256k1.utils.isValidSecretKey(bytes)) {
    throw new KeyError('KEY_MALFORMED', 'not a scalar of secp256k1');
  }
  const secret = holdSecret(bytes);
  const publicKey = secp256k1.getPublicKey(secret.use(), true);
  return {
    type: 'secp256k1',
    publicKey,
    sign(request) {
      assertSignable('secp256k1', request);
      return request.algorithm === 'bip340'
        ? signBip340(secret.use(), publicKey, request.payload, randomBytes(32))
        : signEcdsa(secret.use(), publicKey, request.payload);
    },
    serialise: () => serialiseSecret('secp256k1', secret.use()),
    destroy: () => secret.destroy(),
  };
}

/** RFC 6979 nonce, low s; a message is hashed with SHA-256. */
function signEcdsa(secret: Uint8Array, publicKey: Uint8Array, payload: PayloadBytes): KeySignature {
  const digest = payload.kind === 'message' ? hash('sha256', payload.message, 'buffer') : payload.digest;
  const recovered = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' });
  const recovery = recovered[0];
  // 2 and 3 say that R's x exceeded the group order: one chance in 2^127, and Ethereum has no way to express it.
  if (recovery !== 0 && recovery !== 1) throw new InternalError('an unusable recovery number');
  return { signature: recovered.subarray(1), publicKey, recovery };
}

/**
 * BIP-340 with the given auxiliary randomness (32 bytes), under the key itself for `digest` and under the tweaked
 * output key for `taproot-sighash`. Noble verifies what it made, as BIP-340 asks for against faults.
 *
 * @throws KeyError PAYLOAD_MISMATCH
 */
export function signBip340(
  secret: Uint8Array,
  publicKey: Uint8Array,
  payload: PayloadBytes,
  auxiliary: Uint8Array,
): KeySignature {
  if (payload.kind === 'digest') {
    return { signature: schnorr.sign(payload.digest, secret, auxiliary), publicKey: publicKey.subarray(1) };
  }
  if (payload.kind === 'message') throw new KeyError('PAYLOAD_MISMATCH', 'BIP-340 signs 32 bytes here');
  const tweaked = tweakForTaproot(secret, publicKey, payload.merkleRoot);
  try {
    return {
      signature: schnorr.sign(payload.digest, tweaked.secret, auxiliary),
      publicKey: tweaked.outputKey,
    };
  } finally {
    tweaked.secret.fill(0);
  }
}
