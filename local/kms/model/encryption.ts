import { constants, createPublicKey, privateDecrypt, publicEncrypt } from 'node:crypto';
import {
  assertPlaintextLength,
  type Encryption,
  type EncryptionAlgorithm,
  invalidCiphertext,
  specDetails,
} from '../../../shared/kms/index.ts';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { openBlob, sealBlob, unsafeKeyArnOf } from './ciphertext.ts';
import { privateKeyOf } from './key-material.ts';
import { currentMaterial, type Key } from './key-store.ts';

/** Plaintext, with the generation of a symmetric key that was used. */
export interface Opened {
  readonly plaintext: Uint8Array;
  readonly materialId?: string;
}

/** Encrypts with a key. @throws AwsServiceError ValidationException for a plaintext that is too long for an RSA key */
export function encryptWith(key: Key, { algorithm, context }: Encryption, plaintext: Uint8Array): Uint8Array {
  const material = currentMaterial(key);
  if (specDetails(key.spec).type !== 'rsa') return sealBlob(key.arn, material.bytes, context, plaintext);
  assertPlaintextLength(key.spec, algorithm, plaintext.length);
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
