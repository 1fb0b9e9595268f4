import type { Curves, HeldKey } from '../keys/index.ts';
import { restorePoolKey } from '../keys/index.ts';
import { BootError } from '../node/errors.ts';
import { describePublicKey } from './public-key.ts';
import type { PoolKeyRecord } from './record.ts';

/**
 * A key of a pool in memory. A key that a start has brought back is parsed when it is used first: a start does not wait for
 * a thousand of them, of which each takes a millisecond, and RSA's several.
 */
export class HeldPoolKey {
  #key: HeldKey | undefined;
  #secret: Uint8Array | undefined;
  readonly #restore: (secret: Uint8Array) => HeldKey;

  private constructor(
    key: HeldKey | undefined,
    secret?: Uint8Array,
    restore?: (bytes: Uint8Array) => HeldKey,
  ) {
    this.#key = key;
    this.#secret = secret;
    this.#restore =
      restore ??
      (() => {
        throw new RangeError('expected a key that was not destroyed');
      });
  }

  /** Holds a key that was just made. */
  static of(key: HeldKey): HeldPoolKey {
    return new HeldPoolKey(key);
  }

  /** Takes the serialised secret of a key, and clears it once it is not needed any more. */
  static restore(curves: Curves, record: PoolKeyRecord, secret: Uint8Array): HeldPoolKey {
    const { id, type, usage } = record;
    const restore = (bytes: Uint8Array): HeldKey => {
      let key: HeldKey | undefined;
      try {
        key = restorePoolKey(curves, type, usage, bytes);
      } catch (error) {
        throw new BootError(
          'KEY_MISMATCH',
          `the store does not hold this key as one of type ${type}`,
          { key: id },
          error,
        );
      }
      if (describePublicKey(type, key.publicKey) === record.publicKey) return key;
      key.destroy();
      throw new BootError('KEY_MISMATCH', 'the secret is not that of the public key', { key: id });
    };
    return new HeldPoolKey(undefined, secret, restore);
  }

  /**
   * Returns the key, for one operation.
   *
   * @throws BootError KEY_MISMATCH for a secret that is none of the record's type, usage and public key
   */
  use(): HeldKey {
    if (this.#key === undefined) {
      this.#key = this.#restore(this.#secret ?? new Uint8Array());
      this.#secret?.fill(0);
      this.#secret = undefined;
    }
    return this.#key;
  }

  /** Clears the key. */
  destroy(): void {
    this.#key?.destroy();
    this.#secret?.fill(0);
    this.#secret = undefined;
  }
}
