import { hash } from 'node:crypto';
import type { Curves } from './curves.ts';
import { KeyError } from './errors.ts';
import { assertSignable } from '../signer/index.ts';
import { holdCurveKey } from './curve-key.ts';
import { type HeldKey } from './held-key.ts';

/**
 * Holds a P-256 key, which signs by ECDSA (FIPS 186-5) over a digest or the SHA-256 of a message.
 *
 * @throws KeyError KEY_MALFORMED where `secret` is not a scalar of the curve
 */
export function holdP256(curves: Curves, secret: Uint8Array): HeldKey {
  const { publicKey, use, ...held } = holdCurveKey('p256', curves.holdP256(secret));
  return {
    ...held,
    type: 'p256',
    publicKey,
    sign(request) {
      assertSignable('p256', request);
      const { payload } = request;
      if (payload.kind === 'taproot-sighash')
        throw new KeyError('PAYLOAD_MISMATCH', 'ECDSA signs a message or digest, found taproot-sighash');
      const digest = payload.kind === 'message' ? hash('sha256', payload.message, 'buffer') : payload.digest;
      return { signature: use().signEcdsa(digest), publicKey };
    },
  };
}
