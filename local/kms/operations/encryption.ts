import { z } from 'zod';
import {
  AwsServiceError,
  blob,
  callerArn,
  optional,
  parseInput,
  type AuthenticatedRequest,
} from '../../aws/plumbing.ts';
import { admitUse, dryRun, type KeyUse } from '../model/usable-key.ts';
import { accessDenied } from '../model/authorize.ts';
import { unsafeKeyArnOf } from '../model/ciphertext.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import {
  assertEncryption,
  decryptWith,
  type Encryption,
  encryptWith,
  invalidCiphertext,
} from '../model/encryption.ts';
import { specDetails } from '../model/key-spec.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { deliver, recipientSchema, verifyRecipient } from '../model/recipient.ts';
import {
  ciphertextSchema,
  contextSchema,
  encryptionAlgorithmSchema,
  grantTokensSchema,
  keyIdSchema,
  useSchema,
} from '../model/schemas.ts';

const encryptSchema = useSchema.extend({
  Plaintext: blob(1, 4096),
  EncryptionContext: contextSchema,
  EncryptionAlgorithm: encryptionAlgorithmSchema,
});
const decryptSchema = z.object({
  KeyId: optional(keyIdSchema),
  // A dry run that looks at no ciphertext does not need one.
  CiphertextBlob: optional(ciphertextSchema),
  EncryptionContext: contextSchema,
  EncryptionAlgorithm: encryptionAlgorithmSchema,
  GrantTokens: grantTokensSchema,
  Recipient: recipientSchema,
  DryRun: optional(z.boolean()),
  DryRunModifiers: optional(z.array(z.enum(['IGNORE_CIPHERTEXT']))),
});
const reEncryptSchema = z.object({
  CiphertextBlob: optional(ciphertextSchema),
  SourceKeyId: optional(keyIdSchema),
  SourceEncryptionContext: contextSchema,
  SourceEncryptionAlgorithm: encryptionAlgorithmSchema,
  DestinationKeyId: keyIdSchema,
  DestinationEncryptionContext: contextSchema,
  DestinationEncryptionAlgorithm: encryptionAlgorithmSchema,
  GrantTokens: grantTokensSchema,
  DryRun: optional(z.boolean()),
  DryRunModifiers: optional(z.array(z.enum(['IGNORE_CIPHERTEXT']))),
});

/** Source: AWS KMS API Reference, "Encrypt". */
export function encrypt(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(encryptSchema, request.input);
  const { KeyId: named, EncryptionContext: context, EncryptionAlgorithm: algorithm } = input;
  const key = kms.aliases.resolveKey(named, scopeOf(request));
  admitEncryption(kms, request, key, { algorithm, context }, { named, ...tokensOf(input) });
  const ciphertext = encryptWith(key, { algorithm, context }, input.Plaintext);
  input.Plaintext.fill(0);
  return { CiphertextBlob: base64(ciphertext), KeyId: key.arn, EncryptionAlgorithm: algorithm };
}

/** Source: AWS KMS API Reference, "Decrypt". */
export async function decrypt(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(decryptSchema, request.input);
  const { KeyId: named, CiphertextBlob: ciphertext, EncryptionAlgorithm: algorithm } = input;
  const encryption = { algorithm, context: input.EncryptionContext };
  assertCiphertext(input);
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  const key = findSource(kms, request, named, ciphertext, 'Decrypt');
  admitEncryption(kms, request, key, encryption, { named, pcrs: recipient?.pcrs, ...tokensOf(input) });
  if (ciphertext === undefined) throw missing('ciphertextBlob');
  const { plaintext, materialId } = decryptWith(key, encryption, ciphertext);
  return {
    KeyId: key.arn,
    EncryptionAlgorithm: algorithm,
    ...(materialId === undefined ? {} : { KeyMaterialId: materialId }),
    ...deliver(kms.cmsShape, 'Plaintext', plaintext, recipient),
  };
}

/** Source: AWS KMS API Reference, "ReEncrypt". Both keys have a say; it takes no Recipient. */
export function reEncrypt(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(reEncryptSchema, request.input);
  assertCiphertext(input);
  const { SourceKeyId: sourceName, DestinationKeyId: destinationName, CiphertextBlob: ciphertext } = input;
  const from = { algorithm: input.SourceEncryptionAlgorithm, context: input.SourceEncryptionContext };
  const to = { algorithm: input.DestinationEncryptionAlgorithm, context: input.DestinationEncryptionContext };
  const source = findSource(kms, request, sourceName, ciphertext, 'ReEncryptFrom');
  const destination = kms.aliases.resolveKey(destinationName, scopeOf(request));
  const keys = { 'kms:ReEncryptOnSameKey': String(source.arn === destination.arn) };
  const { grantTokens } = tokensOf(input);
  admitEncryption(kms, request, source, from, {
    action: 'ReEncryptFrom',
    named: sourceName,
    keys,
    grantTokens,
  });
  admitEncryption(kms, request, destination, to, {
    action: 'ReEncryptTo',
    named: destinationName,
    keys,
    grantTokens,
  });
  if (input.DryRun === true) throw dryRun();
  if (ciphertext === undefined) throw missing('ciphertextBlob');
  const { plaintext, materialId } = decryptWith(source, from, ciphertext);
  const blob = encryptWith(destination, to, plaintext);
  plaintext.fill(0);
  return {
    CiphertextBlob: base64(blob),
    SourceKeyId: source.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: from.algorithm,
    DestinationEncryptionAlgorithm: to.algorithm,
    SourceKeyMaterialId: materialId,
    DestinationKeyMaterialId:
      specDetails(destination.spec).type === 'symmetric' ? currentMaterial(destination).id : undefined,
  };
}

function admitEncryption(
  kms: KmsContext,
  request: AuthenticatedRequest,
  key: Key,
  encryption: Encryption,
  use: Omit<KeyUse, 'usage' | 'algorithm'>,
): void {
  assertEncryption(encryption);
  const { algorithm, context } = encryption;
  admitUse(kms, request, key, {
    ...use,
    usage: 'ENCRYPT_DECRYPT',
    encryptionContext: context,
    keys: { ...use.keys, 'kms:EncryptionAlgorithm': algorithm },
    algorithm,
  });
}

/**
 * Finds the key to decrypt with. Without a name the blob says it; a blob of elsewhere and one that is none get the same
 * refusal.
 */
function findSource(
  kms: KmsContext,
  request: AuthenticatedRequest,
  named: string | undefined,
  ciphertext: Uint8Array | undefined,
  operation: string,
): Key {
  if (named !== undefined) return kms.aliases.resolveKey(named, scopeOf(request));
  if (ciphertext === undefined) throw missing('keyId');
  const claimed = unsafeKeyArnOf(ciphertext);
  if (claimed === undefined) throw invalidCiphertext();
  const key = kms.keys.find(claimed);
  if (key !== undefined && key.region === request.region) return key;
  throw accessDenied({
    action: `kms:${operation}`,
    caller: callerArn(request.credential.caller),
    keyArn: claimed,
    reason: 'implicit-deny',
  });
}

/** Asserts a ciphertext where one is needed. Source: AWS KMS API Reference, "Decrypt", DryRunModifiers. */
function assertCiphertext(
  input: Pick<z.output<typeof decryptSchema>, 'CiphertextBlob' | 'DryRun' | 'DryRunModifiers'>,
): void {
  const isIgnored = input.DryRun === true && input.DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
  if (input.CiphertextBlob === undefined && !isIgnored) throw missing('ciphertextBlob');
}

function tokensOf(
  input: Pick<z.output<typeof decryptSchema>, 'GrantTokens' | 'DryRun'>,
): Pick<KeyUse, 'grantTokens' | 'dryRun'> {
  return { grantTokens: input.GrantTokens, dryRun: input.DryRun };
}

function missing(member: string): AwsServiceError {
  return new AwsServiceError(
    'ValidationException',
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
