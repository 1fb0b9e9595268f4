import { KeyError } from './errors.ts';

export const SECRET_BYTES = 32;

/** A secret that can be cleared once and is never handed out after that. */
export interface Secret {
  /** Returns the secret itself, not a copy, for one operation. @throws KeyError KEY_DESTROYED */
  use(): Uint8Array<ArrayBuffer>;
  destroy(): void;
}

/** Copies `bytes` into memory of its own, outside Buffer's shared pool. The caller clears `bytes`. */
export function holdSecret(bytes: Uint8Array): Secret {
  const secret = new Uint8Array(bytes);
  let destroyed = false;
  return {
    use() {
      if (destroyed) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
      return secret;
    },
    destroy() {
      destroyed = true;
      secret.fill(0);
    },
  };
}
