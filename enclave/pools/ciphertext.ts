import type { Algorithm } from '../../shared/algorithms.ts';
import type { EncryptionContext } from '../../shared/api/pool-keys.ts';
import type { HeldKey } from '../keys/index.ts';
import { PoolError } from './errors.ts';

/*
 * What a symmetric key of a pool encrypts: one byte of version, the 16 bytes of the key's id, the ciphertext. The id is
 * associated data, too: under a name that no context of a client has, since theirs are not empty. RSA's ciphertexts stand
 * alone, because others make them with the public key.
 */
const VERSION = 1;
const ID_BYTES = 16;
const ID_NAME = '';

interface Target {
  readonly id: string;
  readonly key: HeldKey;
  readonly algorithm: Algorithm;
  readonly context: EncryptionContext | undefined;
}

/** Encrypts with a key of a pool. @throws KeyError PLAINTEXT_TOO_LONG, CONTEXT_UNEXPECTED */
export function encryptWith({ id, key, algorithm, context }: Target, plaintext: Uint8Array): Uint8Array {
  if (key.publicKey !== null) return key.encrypt({ algorithm, plaintext, context });
  const encrypted = key.encrypt({ algorithm, plaintext, context: bindContext(id, context) });
  return new Uint8Array(Buffer.concat([encodeHeader(id), encrypted]));
}

/**
 * Decrypts with a key of a pool; the caller clears the result.
 *
 * @throws PoolError CIPHERTEXT_OTHER_KEY; KeyError DECRYPTION_FAILED, CONTEXT_UNEXPECTED
 */
export function decryptWith({ id, key, algorithm, context }: Target, ciphertext: Uint8Array): Uint8Array {
  if (key.publicKey !== null) return key.decrypt({ algorithm, ciphertext, context });
  const header = encodeHeader(id);
  if (Buffer.compare(ciphertext.subarray(0, header.length), header) !== 0)
    throw new PoolError('CIPHERTEXT_OTHER_KEY', 'the ciphertext is not one of this key', { key: id });
  const encrypted = ciphertext.subarray(header.length);
  return key.decrypt({ algorithm, ciphertext: encrypted, context: bindContext(id, context) });
}

function encodeHeader(id: string): Uint8Array {
  const header = Buffer.alloc(1 + ID_BYTES, VERSION);
  header.write(id.replaceAll('-', ''), 1, 'hex');
  return header;
}

const bindContext = (id: string, context: EncryptionContext = {}): EncryptionContext => ({
  ...context,
  [ID_NAME]: id,
});
