import type { z } from 'zod';
import {
  assertCiphertext,
  assertEncryption,
  decryptSchema,
  dryRun,
  type Encryption,
  encryptSchema,
  invalidCiphertext,
  missingMember,
  reEncryptSchema,
  specDetails,
} from '../../../shared/kms/index.ts';
import { callerArn, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitUse, type KeyUse } from '../model/usable-key.ts';
import { accessDenied } from '../model/authorize.ts';
import { unsafeKeyArnOf } from '../model/ciphertext.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import { decryptWith, encryptWith } from '../model/encryption.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { deliver, verifyRecipient } from '../model/recipient.ts';

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
  if (ciphertext === undefined) throw missingMember('ciphertextBlob');
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
  if (ciphertext === undefined) throw missingMember('ciphertextBlob');
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
  if (ciphertext === undefined) throw missingMember('keyId');
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

function tokensOf(
  input: Pick<z.output<typeof decryptSchema>, 'GrantTokens' | 'DryRun'>,
): Pick<KeyUse, 'grantTokens' | 'dryRun'> {
  return { grantTokens: input.GrantTokens, dryRun: input.DryRun };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
