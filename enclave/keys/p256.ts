import { hash } from 'node:crypto';
import type { KeyUsage } from '../../shared/algorithms.ts';
import type { Curves } from './curves.ts';
import { KeyError } from './errors.ts';
import { assertSignable } from '../signer/index.ts';
import { completeKey } from './complete-key.ts';
import { holdCurveKey } from './curve-key.ts';

/**
 * Holds a P-256 key, which signs by ECDSA (FIPS 186-5) over a digest or the SHA-256 of a message.
 *
 * @throws KeyError KEY_MALFORMED where `secret` is not a scalar of the curve
 */
export function holdP256(curves: Curves, secret: Uint8Array, poolUsage?: KeyUsage) {
  const { use, ...held } = holdCurveKey('p256', curves.holdP256(secret), poolUsage);
  const { publicKey } = held;
  return completeKey(
    { ...held, type: 'p256' as const, usage: 'sign' as const },
    {
      sign(request) {
        assertSignable('p256', request);
        const { payload } = request;
        if (payload.kind === 'taproot-sighash')
          throw new KeyError('PAYLOAD_MISMATCH', 'ECDSA signs a message or digest, found taproot-sighash');
        const digest =
          payload.kind === 'message' ? hash('sha256', payload.message, 'buffer') : payload.digest;
        return { signature: use().signEcdsa(digest), publicKey };
      },
    },
  );
}
