import type { P256Key, Secp256k1Key } from './curves.ts';
import { KeyError } from './errors.ts';
import type { HeldKey } from './held-key.ts';
import { SECRET_BYTES } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

type Kept<K> = Pick<HeldKey, 'publicKey' | 'serialise' | 'destroy'> & {
  /** The key, for one operation. @throws KeyError KEY_DESTROYED */
  readonly use: () => K;
};

/**
 * What keys on every curve have in common: to be stored, and to be gone.
 *
 * @throws KeyError KEY_MALFORMED where there is no key
 */
export function keepUntilDestroyed<K extends P256Key | Secp256k1Key>(
  type: 'p256' | 'secp256k1',
  held: K | undefined,
): Kept<K> {
  if (held === undefined) throw new KeyError('KEY_MALFORMED', `not a scalar of ${type}`);
  let key: K | undefined = held;
  const use = () => {
    if (key === undefined) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
    return key;
  };
  return {
    publicKey: held.publicKey,
    use,
    serialise() {
      const secret = new Uint8Array(SECRET_BYTES);
      try {
        use().copySecret(secret);
        return serialiseSecret(type, secret);
      } finally {
        secret.fill(0);
      }
    },
    destroy() {
      key?.clear();
      key = undefined;
    },
  };
}
