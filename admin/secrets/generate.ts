import type { KMSClient } from '@aws-sdk/client-kms';
import { renderSupplyStatement } from '../../attestation/key-policy/index.ts';
import { PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { askAws } from '../aws/index.ts';
import { AdminError } from '../errors.ts';
import { assertCiphertext, passwordContext } from './node-secret.ts';

/**
 * Has KMS make an Encryptor Master Password for a node. KMS keeps the plaintext to itself: what comes here is its
 * ciphertext alone, under the manifest's key and encryption context.
 *
 * @param kms a client for the manifest's Region
 * @returns the ciphertext
 * @throws AdminError AWS_…, INTERRUPTED, KMS_OTHER_KEY, SECRET_NOT_CIPHERTEXT
 */
export async function generatePassword(
  kms: Pick<KMSClient, 'send'>,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { GenerateDataKeyWithoutPlaintextCommand } = await import('@aws-sdk/client-kms');
  const { keyArn } = manifest.kms;
  const { CiphertextBlob, KeyId } = await askAws(
    'kms:GenerateDataKeyWithoutPlaintext',
    kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({
        KeyId: keyArn,
        KeySpec: 'AES_256',
        EncryptionContext: passwordContext(manifest),
      }),
      { abortSignal: signal },
    ),
  );
  if (KeyId !== keyArn) {
    throw new AdminError('KMS_OTHER_KEY', 'KMS has used another key', { expected: keyArn, actual: KeyId });
  }
  const blob = CiphertextBlob ?? new Uint8Array();
  assertCiphertext(PASSWORD_SECRET, blob);
  return blob;
}

/**
 * The key policy's statement that lets one principal have such a password made; whoever reviews the policy takes it out
 * again afterwards.
 *
 * @param principal ARN of a role or user; a placeholder in the key's account when left out
 */
export function renderGenerateStatement(manifest: Manifest, principal?: string): object {
  const [, partition = 'aws', , , account = ''] = manifest.kms.keyArn.split(':');
  return renderSupplyStatement(
    [principal ?? `arn:${partition}:iam::${account}:role/WHOEVER-RUNS-THIS`],
    passwordContext(manifest),
  );
}
