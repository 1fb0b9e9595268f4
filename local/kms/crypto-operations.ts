import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsServiceError, blob, optional, parseInput, type AuthenticatedRequest } from '../aws/plumbing.ts';
import { admitUse, scopeOf } from './admission.ts';
import { accessDenied, assertIdentityAllows } from './authorize.ts';
import { openBlob, sealBlob, unsafeKeyArnOf, type EncryptionContext } from './ciphertext.ts';
import { encodeEnvelopedData } from './cms.ts';
import type { KmsContext } from './context.ts';
import type { Key } from './key-store.ts';
import { recipientSchema, verifyRecipient, type Recipient } from './recipient.ts';

const MAX_PLAINTEXT = 4096;
const MAX_BLOB = 6144;
const MAX_RANDOM = 1024;
const MAX_CONTEXT_CHARACTERS = 8192;

const keyIdSchema = z.string().min(1).max(2048);
const contextSchema = optional(z.record(z.string(), z.string())).transform((context) => context ?? {});
/** What the kinds of request for an existing key share. */
const commonSchema = z.object({
  EncryptionContext: contextSchema,
  EncryptionAlgorithm: optional(z.string()),
  GrantTokens: optional(z.array(z.string())),
  DryRun: optional(z.boolean()),
});
const encryptSchema = commonSchema.extend({ KeyId: keyIdSchema, Plaintext: blob(1, MAX_PLAINTEXT) });
const decryptSchema = commonSchema.extend({
  KeyId: optional(keyIdSchema),
  CiphertextBlob: blob(1, MAX_BLOB),
  Recipient: recipientSchema,
});
const sealedDataKeySchema = commonSchema.extend({
  KeyId: keyIdSchema,
  KeySpec: optional(z.enum(['AES_128', 'AES_256'])),
  NumberOfBytes: optional(z.int().min(1).max(MAX_RANDOM)),
});
const dataKeySchema = sealedDataKeySchema.extend({ Recipient: recipientSchema });
const randomSchema = z.object({
  NumberOfBytes: z.int().min(1).max(MAX_RANDOM),
  CustomKeyStoreId: optional(z.string()),
  Recipient: recipientSchema,
});

type Common = z.output<typeof commonSchema>;
type DataKeyInput = z.output<typeof sealedDataKeySchema>;

/** Source: AWS KMS API Reference, "Encrypt". */
export async function encrypt(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(encryptSchema, request.input);
  const key = kms.keys.resolve(input.KeyId, scopeOf(request));
  admit(kms, request, key, input, { alias: input.KeyId });
  const blob = sealBlob(key.arn, key.material, input.EncryptionContext, input.Plaintext);
  input.Plaintext.fill(0);
  return { CiphertextBlob: base64(blob), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
}

/** Source: AWS KMS API Reference, "Decrypt". */
export async function decrypt(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(decryptSchema, request.input);
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  const named = input.KeyId === undefined ? undefined : kms.keys.resolve(input.KeyId, scopeOf(request));
  const claimed = unsafeKeyArnOf(input.CiphertextBlob);
  const key = named ?? findKeyOf(kms, request, claimed);
  admit(kms, request, key, input, { alias: input.KeyId, recipient });
  if (claimed === undefined) throw invalidCiphertext();
  if (claimed !== key.arn) {
    throw new AwsServiceError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  const plaintext = openBlob(input.CiphertextBlob, key.material, input.EncryptionContext);
  if (plaintext === undefined) throw invalidCiphertext();
  return {
    KeyId: key.arn,
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    ...deliver(kms, plaintext, recipient),
  };
}

/** Source: AWS KMS API Reference, "GenerateDataKey". */
export async function generateDataKey(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(dataKeySchema, request.input);
  const length = dataKeyLength(input);
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  const key = kms.keys.resolve(input.KeyId, scopeOf(request));
  admit(kms, request, key, input, { alias: input.KeyId, recipient });
  const dataKey = randomBytes(length);
  const blob = sealBlob(key.arn, key.material, input.EncryptionContext, dataKey);
  return { CiphertextBlob: base64(blob), KeyId: key.arn, ...deliver(kms, dataKey, recipient) };
}

/** Source: AWS KMS API Reference, "GenerateDataKeyWithoutPlaintext". It takes no Recipient: nothing is delivered. */
export async function generateDataKeyWithoutPlaintext(
  kms: KmsContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const input = parseInput(sealedDataKeySchema, request.input);
  const length = dataKeyLength(input);
  const key = kms.keys.resolve(input.KeyId, scopeOf(request));
  admit(kms, request, key, input, { alias: input.KeyId });
  const dataKey = randomBytes(length);
  const blob = sealBlob(key.arn, key.material, input.EncryptionContext, dataKey);
  dataKey.fill(0);
  return { CiphertextBlob: base64(blob), KeyId: key.arn };
}

/** Source: AWS KMS API Reference, "GenerateRandom". No key, so no key policy: the caller's own policies decide. */
export async function generateRandom(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(randomSchema, request.input);
  if (input.CustomKeyStoreId !== undefined) {
    throw new AwsServiceError('CustomKeyStoreNotFoundException', 'There are no custom key stores here');
  }
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  assertIdentityAllows(request, { pcrs: recipient?.pcrs });
  return deliver(kms, randomBytes(input.NumberOfBytes), recipient);
}

/** @throws AwsServiceError ValidationException unless exactly one of the two says it */
function dataKeyLength({ KeySpec, NumberOfBytes }: DataKeyInput): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new AwsServiceError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  return NumberOfBytes ?? (KeySpec === 'AES_128' ? 16 : 32);
}

/** Plaintext for whoever asked in the clear; for an attested recipient, only what its own key opens. */
function deliver(kms: KmsContext, plaintext: Uint8Array, recipient: Recipient | undefined): object {
  const answer =
    recipient === undefined
      ? { Plaintext: base64(plaintext) }
      : { CiphertextForRecipient: base64(encodeEnvelopedData(plaintext, recipient.publicKey, kms.cmsShape)) };
  plaintext.fill(0);
  return answer;
}

/** Admits the use of a symmetric key. */
function admit(
  kms: KmsContext,
  request: AuthenticatedRequest,
  key: Key,
  input: Common,
  { alias, recipient }: { alias?: string | undefined; recipient?: Recipient | undefined },
): void {
  assertContextLength(input.EncryptionContext);
  admitUse(kms, request, key, {
    usage: 'ENCRYPT_DECRYPT',
    named: alias,
    facts: {
      pcrs: recipient?.pcrs,
      encryptionContext: input.EncryptionContext,
      keys: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' },
    },
    algorithm: { asked: input.EncryptionAlgorithm, has: 'SYMMETRIC_DEFAULT' },
    grantTokens: input.GrantTokens,
    dryRun: input.DryRun,
  });
}

/** Without a KeyId the blob itself says which key; one of another region or account, or none, is told apart by nobody. */
function findKeyOf(kms: KmsContext, request: AuthenticatedRequest, claimed: string | undefined): Key {
  if (claimed === undefined) throw invalidCiphertext();
  const key = kms.keys.find(claimed);
  if (key === undefined || key.region !== request.region) {
    throw accessDenied(request, claimed, 'resource-based');
  }
  return key;
}

function assertContextLength(context: EncryptionContext): void {
  const characters = Object.entries(context).reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    0,
  );
  if (characters > MAX_CONTEXT_CHARACTERS) {
    throw new AwsServiceError('ValidationException', 'EncryptionContext is too long');
  }
}

function invalidCiphertext(): AwsServiceError {
  return new AwsServiceError('InvalidCiphertextException', '');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
