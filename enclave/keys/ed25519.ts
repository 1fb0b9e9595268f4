import { createPrivateKey, createPublicKey, hash, sign } from 'node:crypto';
import type { KeyUsage } from '../../shared/algorithms.ts';
import type { Curves } from './curves.ts';
import { KeyError } from './errors.ts';
import { assertSignable } from '../signer/index.ts';
import { completeKey } from './complete-key.ts';
import { serialiseSecret } from './serialised-key.ts';
import { holdSecret } from './secret.ts';

/**
 * Holds an Ed25519 key (RFC 8032), with which OpenSSL signs in constant time; Ed25519ph too, with no context, over a
 * message or its SHA-512. OpenSSL keeps a copy of its own and clears it when the last reference to the KeyObject is
 * collected; `destroy()` clears the copy held here at once.
 */
export function holdEd25519(curves: Curves, bytes: Uint8Array, poolUsage?: KeyUsage) {
  const secret = holdSecret(bytes);
  let key: ReturnType<typeof createPrivateKey> | undefined = createPrivateKey({
    key: Buffer.from(secret.use().buffer),
    format: 'raw-private',
    asymmetricKeyType: 'ed25519',
  });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'raw-public' }));

  function signPrehashed(digest: Uint8Array, privateKey: NonNullable<typeof key>): Uint8Array {
    const info = privateKey.export({ format: 'der', type: 'pkcs8' });
    const digestKey = curves.holdDigestKey(info);
    info.fill(0);
    try {
      return digestKey.signDigest('ed25519ph', digest);
    } finally {
      digestKey.clear();
    }
  }

  return completeKey(
    {
      type: 'ed25519' as const,
      usage: 'sign' as const,
      publicKey,
      serialise: () => serialiseSecret({ type: 'ed25519', poolUsage }, secret.use()),
      destroy() {
        key = undefined;
        secret.destroy();
      },
    },
    {
      sign(request) {
        assertSignable('ed25519', request);
        if (key === undefined) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
        const { algorithm, payload } = request;
        if (payload.kind === 'taproot-sighash')
          throw new KeyError('PAYLOAD_MISMATCH', 'Ed25519 signs a message or digest, found taproot-sighash');
        if (algorithm === 'ed25519ph') {
          const digest =
            payload.kind === 'digest' ? payload.digest : hash('sha512', payload.message, 'buffer');
          return { signature: signPrehashed(digest, key), publicKey };
        }
        if (payload.kind !== 'message')
          throw new KeyError('PAYLOAD_MISMATCH', `Ed25519 signs a message, found ${payload.kind}`);
        return { signature: sign(null, payload.message, key), publicKey };
      },
    },
  );
}
