import type { z } from 'zod';
import { type EncryptionAlgorithm, type KeySpec, type SigningAlgorithm, specDetails } from './key-spec.ts';
import { invalid, missingMember } from './refusals.ts';
import type { decryptSchema, sealedDataKeySchema, signSchema } from './schemas.ts';

const MAX_CONTEXT_CHARACTERS = 8192;
const DIGEST_BYTES: Readonly<Record<string, number>> = { '256': 32, '384': 48, '512': 64 };

/** Pairs that have to be given again to decrypt. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** Parameters of an encryption. */
export interface Encryption {
  readonly algorithm: EncryptionAlgorithm;
  readonly context: EncryptionContext;
}

/**
 * Asserts a usable encryption context. @throws AwsServiceError ValidationException for one that is too long, or has no
 * use
 */
export function assertEncryption({ algorithm, context }: Encryption): void {
  const pairs = Object.entries(context);
  if (algorithm !== 'SYMMETRIC_DEFAULT' && pairs.length > 0) {
    throw invalid('An encryption context is not supported with asymmetric keys.');
  }
  const characters = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (characters > MAX_CONTEXT_CHARACTERS) throw invalid('EncryptionContext is too long');
}

/**
 * Asserts that a key takes a plaintext of some bytes. OAEP takes the modulus without two hashes and two bytes (RFC 8017,
 * section 7.1.1). @throws AwsServiceError ValidationException
 */
export function assertPlaintextLength(spec: KeySpec, algorithm: EncryptionAlgorithm, length: number): void {
  const details = specDetails(spec);
  if (details.type !== 'rsa') return;
  const most = details.bits / 8 - 2 - 2 * (algorithm === 'RSAES_OAEP_SHA_1' ? 20 : 32);
  if (length > most) {
    throw invalid(
      `Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than ${most} bytes.`,
    );
  }
}

/** Message of Sign and Verify. */
export interface SignedMessage {
  readonly algorithm: SigningAlgorithm;
  readonly messageType: z.output<typeof signSchema>['MessageType'];
  readonly message: Uint8Array;
}

/**
 * Asserts that an algorithm takes a message of a type, and a digest has its length. ED25519_SHA_512 takes RAW alone,
 * ED25519_PH_SHA_512 a DIGEST alone, which is hashed once more; an external mu is ML-DSA's. Source: AWS KMS API Reference,
 * "Sign", MessageType. @throws AwsServiceError ValidationException
 */
export function assertMessage({ algorithm, messageType, message }: SignedMessage): void {
  if (!messageTypesOf(algorithm).includes(messageType)) {
    throw invalid(`MessageType ${messageType} is not valid for SigningAlgorithm ${algorithm}.`);
  }
  if (messageType === 'DIGEST' && message.length !== DIGEST_BYTES[algorithm.slice(-3)]) {
    throw invalid('Digest is invalid length for the algorithm.');
  }
}

function messageTypesOf(algorithm: SigningAlgorithm): readonly SignedMessage['messageType'][] {
  if (algorithm === 'ED25519_SHA_512') return ['RAW'];
  if (algorithm === 'ED25519_PH_SHA_512') return ['DIGEST'];
  return algorithm === 'ML_DSA_SHAKE_256' ? ['RAW', 'EXTERNAL_MU'] : ['RAW', 'DIGEST'];
}

/** Asserts a ciphertext where one is needed. Source: AWS KMS API Reference, "Decrypt", DryRunModifiers. */
export function assertCiphertext(
  input: Pick<z.output<typeof decryptSchema>, 'CiphertextBlob' | 'DryRun' | 'DryRunModifiers'>,
): void {
  const isIgnored = input.DryRun === true && input.DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
  if (input.CiphertextBlob === undefined && !isIgnored) throw missingMember('ciphertextBlob');
}

/**
 * Reads a data key's length in bytes. @throws AwsServiceError ValidationException unless exactly one of the two members
 * gives it
 */
export function dataKeyLength({
  KeySpec: spec,
  NumberOfBytes: length,
}: Pick<z.output<typeof sealedDataKeySchema>, 'KeySpec' | 'NumberOfBytes'>): number {
  if ((spec === undefined) === (length === undefined)) {
    throw invalid('Please specify either number of bytes or key spec.');
  }
  return length ?? (spec === 'AES_128' ? 16 : 32);
}

/** Asserts the days that ScheduleKeyDeletion gives. @throws AwsServiceError ValidationException */
export function assertDeletionDays(days: number): void {
  if (days < 7 || days > 30) throw invalid('PendingWindowInDays must be between 7 and 30.');
}
