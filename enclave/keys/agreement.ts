import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { parsePublicKey } from '../../shared/public-keys.ts';
import { completeKey } from './complete-key.ts';
import { KeyError } from './errors.ts';
import { assertScalar } from './scalar.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

const CURVES = { p256: 'P-256', p384: 'P-384' } as const;

/**
 * Holds a key that agrees on secrets by ECDH (SP 800-56A, 5.7.1.2), which OpenSSL computes in constant time.
 *
 * @throws KeyError KEY_MALFORMED where `bytes` is not a scalar of the curve
 */
export function holdAgreement(type: 'p256' | 'p384', bytes: Uint8Array) {
  assertScalar(type, bytes);
  const namedCurve = CURVES[type];
  const secret = holdSecret(bytes);
  let key: KeyObject | undefined = createPrivateKey({
    key: Buffer.from(secret.use().buffer),
    format: 'raw-private',
    asymmetricKeyType: 'ec',
    namedCurve,
  });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'raw-public', type: 'compressed' }));
  return completeKey(
    {
      type,
      usage: 'agree' as const,
      publicKey,
      serialise: () => serialiseSecret({ type, poolUsage: 'agree' }, secret.use()),
      destroy() {
        key = undefined;
        secret.destroy();
      },
    },
    {
      deriveSecret(_algorithm, peer) {
        if (key === undefined) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
        const parsed = parsePublicKey(peer);
        if (parsed?.type !== type)
          throw new KeyError('PEER_KEY_INVALID', `expected a public key of ${type} in DER`, { type });
        return new Uint8Array(
          diffieHellman({
            privateKey: key,
            publicKey: createPublicKey({
              key: Buffer.from(parsed.publicKey),
              format: 'raw-public',
              asymmetricKeyType: 'ec',
              namedCurve,
            }),
          }),
        );
      },
    },
  );
}
