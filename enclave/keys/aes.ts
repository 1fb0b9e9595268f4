import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { completeKey } from './complete-key.ts';
import { encodeEncryptionContext } from './encryption-context.ts';
import { KeyError } from './errors.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';
import { deriveMessageKey, NONCE_BYTES } from './xaes.ts';

/*
 * A ciphertext: one byte of version (1), the nonce of XAES-256-GCM (24 bytes), the encrypted bytes, the tag (16 bytes).
 * Nonces of 192 bits may be drawn for 2^80 messages of one key (C2SP, "Security"), where those of plain AES-256-GCM end at
 * 2^32 (SP 800-38D, 8.3): no key has to be counted.
 */
const VERSION = 1;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

/** Holds a symmetric key, which encrypts by XAES-256-GCM (C2SP) under nonces of the kernel's generator. */
export function holdAes(bytes: Uint8Array) {
  const secret = holdSecret(bytes);

  /** Hands the key and nonce of one message to `act`, and clears the key. */
  function withMessageKey<T>(nonce: Uint8Array, act: (key: Uint8Array, nonce: Uint8Array) => T): T {
    const derived = deriveMessageKey(secret.use(), nonce);
    try {
      return act(derived.key, derived.nonce);
    } finally {
      derived.key.fill(0);
    }
  }

  return completeKey(
    {
      type: 'aes-256' as const,
      usage: 'encrypt' as const,
      publicKey: null,
      serialise: () => serialiseSecret({ type: 'aes-256', poolUsage: 'encrypt' }, secret.use()),
      destroy: () => secret.destroy(),
    },
    {
      encrypt({ plaintext, context }) {
        const header = new Uint8Array(HEADER_BYTES);
        header[0] = VERSION;
        const nonce = randomFillSync(header.subarray(1));
        return withMessageKey(nonce, (key, iv) => {
          const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
          cipher.setAAD(encodeEncryptionContext(context));
          const encrypted = [cipher.update(plaintext), cipher.final()];
          return new Uint8Array(Buffer.concat([header, ...encrypted, cipher.getAuthTag()]));
        });
      },
      decrypt({ ciphertext, context }) {
        secret.use();
        if (ciphertext.length < HEADER_BYTES + TAG_BYTES || ciphertext[0] !== VERSION)
          throw decryptionFailed();
        return withMessageKey(ciphertext.subarray(1, HEADER_BYTES), (key, iv) => {
          const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
          decipher.setAAD(encodeEncryptionContext(context));
          decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
          const plaintext = decipher.update(ciphertext.subarray(HEADER_BYTES, -TAG_BYTES));
          try {
            decipher.final();
          } catch {
            plaintext.fill(0);
            throw decryptionFailed();
          }
          return new Uint8Array(plaintext);
        });
      },
    },
  );
}

/** Makes the one error of a ciphertext, whatever is wrong with it. */
export function decryptionFailed(): KeyError {
  return new KeyError('DECRYPTION_FAILED', 'the ciphertext is not one of this key, algorithm and context');
}
