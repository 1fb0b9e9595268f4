import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { KeyError } from './errors.ts';
import { assertSignable } from '../signer/index.ts';
import { type HeldKey } from './held-key.ts';
import { normaliseLowS } from './low-s.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

const ORDER = p256.Point.Fn.ORDER;

/**
 * ECDSA on P-256 (FIPS 186-5). Messages go to OpenSSL: SHA-256, a random nonce, constant-time arithmetic. Node
 * offers no way to have OpenSSL sign a digest that was made elsewhere, so digests go to noble: deterministic nonces
 * (RFC 6979) and an algorithm without secret-dependent branches, but on JavaScript's BigInt, whose arithmetic is
 * not constant time and whose temporary values cannot be cleared.
 */
export function holdP256(bytes: Uint8Array): HeldKey {
  if (!p256.utils.isValidSecretKey(bytes)) throw new KeyError('KEY_MALFORMED', 'not a scalar of P-256');
  const secret = holdSecret(bytes);
  let key: KeyObject | undefined = createPrivateKey({
    key: Buffer.from(secret.use().buffer),
    format: 'raw-private',
    asymmetricKeyType: 'ec',
    namedCurve: 'P-256',
  });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'raw-public', type: 'compressed' }));
  return {
    type: 'p256',
    publicKey,
    sign(request) {
      assertSignable('p256', request);
      if (key === undefined) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
      const { payload } = request;
      const signature =
        payload.kind === 'message'
          ? normaliseLowS(sign('sha256', payload.message, { key, dsaEncoding: 'ieee-p1363' }), ORDER)
          : p256.sign(payload.digest, secret.use(), { prehash: false, lowS: true });
      return { signature, publicKey };
    },
    serialise: () => serialiseSecret('p256', secret.use()),
    destroy() {
      key = undefined;
      secret.destroy();
    },
  };
}
