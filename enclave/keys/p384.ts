import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import type { KeyUsage } from '../../shared/algorithms.ts';
import type { Curves } from './curves.ts';
import { KeyError } from './errors.ts';
import { assertSignable } from '../signer/index.ts';
import { completeKey } from './complete-key.ts';
import { assertScalar } from './scalar.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

/**
 * Holds a P-384 key, which signs by ECDSA (FIPS 186-5) over a digest or the SHA-384 of a message.
 *
 * @throws KeyError KEY_MALFORMED where `bytes` is not a scalar of the curve
 */
export function holdP384(curves: Curves, bytes: Uint8Array, poolUsage?: KeyUsage) {
  assertScalar('p384', bytes);
  const secret = holdSecret(bytes);
  const privateKey = createPrivateKey({
    key: Buffer.from(secret.use().buffer),
    format: 'raw-private',
    asymmetricKeyType: 'ec',
    namedCurve: 'P-384',
  });
  const publicKey = new Uint8Array(
    createPublicKey(privateKey).export({ format: 'raw-public', type: 'compressed' }),
  );
  const info = privateKey.export({ format: 'der', type: 'pkcs8' });
  const key = curves.holdDigestKey(info);
  info.fill(0);
  return completeKey(
    {
      type: 'p384' as const,
      usage: 'sign' as const,
      publicKey,
      serialise: () => serialiseSecret({ type: 'p384', poolUsage }, secret.use()),
      destroy() {
        secret.destroy();
        key.clear();
      },
    },
    {
      sign(request) {
        assertSignable('p384', request);
        secret.use();
        const { payload } = request;
        if (payload.kind === 'taproot-sighash')
          throw new KeyError('PAYLOAD_MISMATCH', 'ECDSA signs a message or digest, found taproot-sighash');
        const digest =
          payload.kind === 'message' ? hash('sha384', payload.message, 'buffer') : payload.digest;
        return { signature: key.signDigest('ecdsa-p384-sha384', digest), publicKey };
      },
    },
  );
}
