import type { KeyUsage } from '../../shared/algorithms.ts';
import type { P256Key, Secp256k1Key } from './curves.ts';
import { KeyError } from './errors.ts';
import type { SigningKey } from './held-key.ts';
import { SECRET_BYTES } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

type HeldCurveKey<K> = Pick<SigningKey, 'publicKey' | 'serialise' | 'destroy'> & {
  /** Returns the key, for one operation. @throws KeyError KEY_DESTROYED */
  readonly use: () => K;
};

/**
 * Holds a key on a curve until it is destroyed, and serialises it for the sealed store.
 *
 * @throws KeyError KEY_MALFORMED where `held` is undefined
 */
export function holdCurveKey<K extends P256Key | Secp256k1Key>(
  type: 'p256' | 'secp256k1',
  held: K | undefined,
  poolUsage: KeyUsage | undefined,
): HeldCurveKey<K> {
  if (held === undefined)
    throw new KeyError(
      'KEY_MALFORMED',
      `expected a scalar of ${type}, found zero or a number from the order of the curve on`,
    );
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
        return serialiseSecret({ type, poolUsage }, secret);
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
