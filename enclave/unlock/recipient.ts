import {
  constants,
  createDecipheriv,
  createHash,
  generateKeyPair,
  privateDecrypt,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { parseEnvelopedData } from './cms.ts';
import { UnlockError } from './errors.ts';

const RSA_BITS = 2048;

/** An RSA key that lives for one unlock: the Recipient that KMS encrypts to. */
export interface Recipient {
  /** DER SubjectPublicKeyInfo, for the attestation document's public_key. */
  readonly publicKey: Uint8Array;
  /**
   * Opens a CiphertextForRecipient; the caller clears the plaintext.
   * @throws UnlockError CMS_MALFORMED, CMS_WRONG_RECIPIENT, CMS_DECRYPT_FAILED
   */
  open(ciphertextForRecipient: Uint8Array): Uint8Array;
}

/** Makes a new RSA key of 2,048 bits, which KMS takes with RSAES_OAEP_SHA_256. */
export async function createRecipient(): Promise<Recipient> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { publicKey: spki, open: (ciphertext) => decryptEnvelopedData(ciphertext, spki, privateKey) };
}

/** Decrypts a CMS EnvelopedData with an RSA private key. The caller clears the plaintext. */
export function decryptEnvelopedData(
  bytes: Uint8Array,
  publicKey: Uint8Array,
  privateKey: KeyObject,
): Uint8Array {
  const { recipientId, encryptedKey, iv, ciphertext } = parseEnvelopedData(bytes);
  const ours = createHash('sha256').update(publicKey).digest();
  if (recipientId.length !== ours.length || !timingSafeEqual(recipientId, ours)) {
    throw new UnlockError(
      'CMS_WRONG_RECIPIENT',
      "expected a CiphertextForRecipient for this enclave's key, found one for another",
    );
  }
  let contentKey: Buffer | undefined;
  try {
    contentKey = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      encryptedKey,
    );
    const decipher = createDecipheriv('aes-256-cbc', contentKey, iv);
    const head = decipher.update(ciphertext);
    const tail = decipher.final();
    const plaintext = new Uint8Array(head.length + tail.length);
    plaintext.set(head);
    plaintext.set(tail, head.length);
    head.fill(0);
    tail.fill(0);
    return plaintext;
  } catch (error) {
    throw new UnlockError('CMS_DECRYPT_FAILED', 'CiphertextForRecipient does not decrypt', {}, error);
  } finally {
    contentKey?.fill(0);
  }
}
