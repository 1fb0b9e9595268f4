import { constants, createPublicKey, privateDecrypt, publicEncrypt } from 'node:crypto';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { openBlob, sealBlob, unsafeKeyArnOf, type EncryptionContext } from './ciphertext.ts';
import { privateKeyOf } from './key-material.ts';
import { specDetails, type EncryptionAlgorithm } from './key-spec.ts';
import { currentMaterial, type Key } from './key-store.ts';

const MAX_CONTEXT_CHARACTERS = 8192;

/** Parameters of an encryption. The algorithm was checked to be one of the key's. */
export interface Encryption {
  readonly algorithm: EncryptionAlgorithm;
  readonly context: EncryptionContext;
}

/** Plaintext, with the generation of a symmetric key that was used. */
export interface Opened {
  readonly plaintext: Uint8Array;
  readonly materialId?: string;
}

/**
 * Asserts a usable encryption context. @throws AwsServiceError ValidationException for one that is too long, or has no
 * use
 */
export function assertEncryption({ algorithm, context }: Encryption): void {
  const pairs = Object.entries(context);
  if (algorithm !== 'SYMMETRIC_DEFAULT' && pairs.length > 0) {
    throw new AwsServiceError(
      'ValidationException',
      'An encryption context is not supported with asymmetric keys.',
    );
  }
  const characters = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (characters > MAX_CONTEXT_CHARACTERS) {
    throw new AwsServiceError('ValidationException', 'EncryptionContext is too long');
  }
}

/** Encrypts with a key. @throws AwsServiceError ValidationException for a plaintext that is too long for an RSA key */
export function encryptWith(key: Key, { algorithm, context }: Encryption, plaintext: Uint8Array): Uint8Array {
  const material = currentMaterial(key);
  const details = specDetails(key.spec);
  if (details.type !== 'rsa') return sealBlob(key.arn, material.bytes, context, plaintext);
  const most = details.bits / 8 - 2 - 2 * (algorithm === 'RSAES_OAEP_SHA_1' ? 20 : 32);
  if (plaintext.length > most) {
    throw new AwsServiceError(
      'ValidationException',
      `Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${most} bytes.`,
    );
  }
  return publicEncrypt({ key: createPublicKey(privateKeyOf(material)), ...oaep(algorithm) }, plaintext);
}

/**
 * Opens a ciphertext with the key that was decided on; for a symmetric key, with whichever generation made it.
 * @throws AwsServiceError IncorrectKeyException, InvalidCiphertextException
 */
export function decryptWith(key: Key, { algorithm, context }: Encryption, ciphertext: Uint8Array): Opened {
  if (specDetails(key.spec).type === 'rsa') return { plaintext: openRsa(key, algorithm, ciphertext) };
  const claimed = unsafeKeyArnOf(ciphertext);
  if (claimed === undefined) throw invalidCiphertext();
  if (claimed !== key.arn) {
    throw new AwsServiceError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  for (const { id, bytes } of [...key.materials].reverse()) {
    const plaintext = openBlob(ciphertext, bytes, context);
    if (plaintext !== undefined) return { plaintext, materialId: id };
  }
  throw invalidCiphertext();
}

export function invalidCiphertext(): AwsServiceError {
  return new AwsServiceError('InvalidCiphertextException', '');
}

function openRsa(key: Key, algorithm: EncryptionAlgorithm, ciphertext: Uint8Array): Uint8Array {
  const privateKey = privateKeyOf(currentMaterial(key));
  // OpenSSL takes a shorter ciphertext for one that begins with zeros; RFC 8017, 7.1.2 wants the modulus's length.
  const { modulusLength = 0 } = privateKey.asymmetricKeyDetails ?? {};
  if (ciphertext.length * 8 !== modulusLength) throw invalidCiphertext();
  try {
    return privateDecrypt({ key: privateKey, ...oaep(algorithm) }, ciphertext);
  } catch {
    throw invalidCiphertext();
  }
}

function oaep(algorithm: EncryptionAlgorithm): { padding: number; oaepHash: string } {
  const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256';
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
}
