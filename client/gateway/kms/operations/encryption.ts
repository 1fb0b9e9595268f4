import type { Algorithm } from '../../../../shared/algorithms.ts';
import { AwsServiceError, parseInput } from '../../../../shared/aws-json/index.ts';
import {
  assertCiphertext,
  assertEncryption,
  assertPlaintextLength,
  assertUsage,
  dataKeyLength,
  dataKeySchema,
  decryptSchema,
  type Encryption,
  encryptSchema,
  invalidCiphertext,
  missingMember,
  reEncryptSchema,
  sealedDataKeySchema,
} from '../../../../shared/kms/index.ts';
import { algorithmOf } from '../algorithms.ts';
import {
  assertNoDryRun,
  assertNoGrantTokens,
  assertNoRecipient,
  assertPoolKey,
  base64,
  findKey,
  type KmsContext,
  type KmsResult,
  showKey,
  toHex,
} from '../context.ts';
import type { PoolKnown } from '../known-keys.ts';

/** First byte of the ciphertexts of symmetric keys, before the 16 bytes of the key's id. */
const CIPHERTEXT_VERSION = 1;
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** Source: AWS KMS API Reference, "Encrypt". */
export async function encrypt(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(encryptSchema, value);
  assertNoGrantTokens(input.GrantTokens);
  assertNoDryRun('Encrypt', input.DryRun);
  const { EncryptionAlgorithm: algorithm, EncryptionContext: pairs } = input;
  const { key, arn, request } = await findFor(context, input.KeyId, { algorithm, context: pairs }, 'Encrypt');
  assertPlaintextLength(showKey(key, context.scope).spec, algorithm, input.Plaintext.length);
  const plaintext = toHex(input.Plaintext);
  const { ciphertext } = await context.ask(
    () => key.node.pools.encrypt(key.id, { ...request, plaintext }),
    true,
  );
  const output = { CiphertextBlob: base64(ciphertext), KeyId: arn, EncryptionAlgorithm: algorithm };
  return { output, key: key.id };
}

/** Source: AWS KMS API Reference, "Decrypt". */
export async function decrypt(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(decryptSchema, value);
  assertNoGrantTokens(input.GrantTokens);
  assertNoRecipient(input.Recipient);
  assertNoDryRun('Decrypt', input.DryRun);
  assertCiphertext(input);
  const { EncryptionAlgorithm: algorithm, EncryptionContext: pairs, CiphertextBlob: blob } = input;
  if (blob === undefined) throw missingMember('ciphertextBlob');
  const name = input.KeyId ?? readKeyId(blob);
  const { key, arn, request } = await findFor(context, name, { algorithm, context: pairs }, 'Decrypt');
  const ciphertext = toHex(blob);
  const { plaintext } = await context.ask(
    () => key.node.pools.decrypt(key.id, { ...request, ciphertext }),
    true,
  );
  const output = { Plaintext: base64(plaintext), KeyId: arn, EncryptionAlgorithm: algorithm };
  return { output, key: key.id };
}

/** Source: AWS KMS API Reference, "ReEncrypt". Inside the one node that has both keys. */
export async function reEncrypt(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(reEncryptSchema, value);
  assertNoGrantTokens(input.GrantTokens);
  assertNoDryRun('ReEncrypt', input.DryRun);
  assertCiphertext(input);
  const { CiphertextBlob: blob } = input;
  if (blob === undefined) throw missingMember('ciphertextBlob');
  const source = { algorithm: input.SourceEncryptionAlgorithm, context: input.SourceEncryptionContext };
  const destination = {
    algorithm: input.DestinationEncryptionAlgorithm,
    context: input.DestinationEncryptionContext,
  };
  const from = await findFor(context, input.SourceKeyId ?? readKeyId(blob), source, 'ReEncrypt');
  const to = await findFor(context, input.DestinationKeyId, destination, 'ReEncrypt');
  if (from.key.node !== to.key.node)
    throw new AwsServiceError('UnsupportedOperationException', 'The two keys are in different nodes.');
  const { ciphertext } = await context.ask(
    () =>
      from.key.node.pools.reEncrypt(from.key.id, {
        from: { ...from.request, ciphertext: toHex(blob) },
        to: { ...to.request, key: to.key.id },
      }),
    true,
  );
  const output = {
    CiphertextBlob: base64(ciphertext),
    SourceKeyId: from.arn,
    KeyId: to.arn,
    SourceEncryptionAlgorithm: source.algorithm,
    DestinationEncryptionAlgorithm: destination.algorithm,
  };
  return { output, key: from.key.id };
}

/** Source: AWS KMS API Reference, "GenerateDataKey". */
export async function generateDataKey(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(dataKeySchema, value);
  assertNoRecipient(input.Recipient);
  return await drawDataKey(context, input, true);
}

/** Source: AWS KMS API Reference, "GenerateDataKeyWithoutPlaintext". */
export async function generateSealedDataKey(context: KmsContext, value: unknown): Promise<KmsResult> {
  return await drawDataKey(context, parseInput(sealedDataKeySchema, value), false);
}

async function drawDataKey(
  context: KmsContext,
  input: ReturnType<typeof sealedDataKeySchema.parse>,
  isShown: boolean,
): Promise<KmsResult> {
  assertNoGrantTokens(input.GrantTokens);
  assertNoDryRun('GenerateDataKey', input.DryRun);
  const bytes = dataKeyLength(input);
  const encryption = { algorithm: 'SYMMETRIC_DEFAULT', context: input.EncryptionContext } as const;
  const { key, arn, request } = await findFor(context, input.KeyId, encryption, 'GenerateDataKey');
  const { ciphertext, plaintext } = await context.ask(
    () => key.node.pools.dataKey(key.id, { bytes, plaintext: isShown, context: request.context }),
    true,
  );
  const output = {
    CiphertextBlob: base64(ciphertext),
    ...(plaintext === undefined ? {} : { Plaintext: base64(plaintext) }),
    KeyId: arn,
  };
  return { output, key: key.id };
}

interface Found {
  readonly key: PoolKnown;
  readonly arn: string;
  readonly request: { readonly algorithm: Algorithm; readonly context: Record<string, string> | undefined };
}

/** Finds a key that encrypts by an algorithm. @throws AwsServiceError InvalidKeyUsageException, ValidationException */
async function findFor(
  context: KmsContext,
  name: string,
  encryption: Encryption,
  operation: string,
): Promise<Found> {
  assertEncryption(encryption);
  const key = await findKey(context, name);
  const shown = showKey(key, context.scope);
  assertUsage(operation, shown, { usage: 'ENCRYPT_DECRYPT', algorithm: encryption.algorithm });
  assertPoolKey(key, context.scope);
  const algorithm = algorithmOf(encryption.algorithm);
  if (algorithm === undefined) throw new TypeError(`no algorithm of a node is ${encryption.algorithm}`);
  const isEmpty = Object.keys(encryption.context).length === 0;
  return {
    key,
    arn: shown.arn,
    request: { algorithm, context: isEmpty ? undefined : { ...encryption.context } },
  };
}

/** Reads the id of the key in the ciphertext of a symmetric key. @throws AwsServiceError InvalidCiphertextException */
function readKeyId(ciphertext: Uint8Array): string {
  if (ciphertext[0] !== CIPHERTEXT_VERSION || ciphertext.length < 17) throw invalidCiphertext();
  return toHex(ciphertext.subarray(1, 17)).replace(UUID, '$1-$2-$3-$4-$5');
}
