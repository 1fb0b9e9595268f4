import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { KeyError } from './errors.ts';
import { assertSignable } from '../signer/index.ts';
import { type HeldKey } from './held-key.ts';
import { serialiseSecret } from './serialised-key.ts';
import { holdSecret } from './secret.ts';

/**
 * Holds an Ed25519 key (RFC 8032), with which OpenSSL signs in constant time. OpenSSL keeps a copy of its own and
 * clears it when the last reference to the KeyObject is collected; `destroy()` clears the copy held here at once.
 */
export function holdEd25519(bytes: Uint8Array): HeldKey {
  const secret = holdSecret(bytes);
  let key: ReturnType<typeof createPrivateKey> | undefined = createPrivateKey({
    key: Buffer.from(secret.use().buffer),
    format: 'raw-private',
    asymmetricKeyType: 'ed25519',
  });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'raw-public' }));
  return {
    type: 'ed25519',
    publicKey,
    sign(request) {
      assertSignable('ed25519', request);
      if (key === undefined) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
      if (request.payload.kind !== 'message')
        throw new KeyError('PAYLOAD_MISMATCH', `Ed25519 signs a message, found ${request.payload.kind}`);
      return { signature: sign(null, request.payload.message, key), publicKey };
    },
    serialise: () => serialiseSecret('ed25519', secret.use()),
    destroy() {
      key = undefined;
      secret.destroy();
    },
  };
}
