import { createHash } from 'node:crypto';
import {
  encryptionContext,
  PASSWORD_SECRET,
  type SecretPurpose,
} from '../../shared/documents/encryption-context.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { MAX_SECRET_BLOB_BYTES } from '../../shared/protocol/control.ts';
import { AdminError } from '../errors.ts';

const NAMES: Readonly<Record<SecretPurpose, true>> = { [PASSWORD_SECRET]: true };

/** Whether a node has a secret of this name. */
export function isSecretName(name: string): name is SecretPurpose {
  return Object.hasOwn(NAMES, name);
}

/** What stands before the names of a node's secrets in AWS Secrets Manager, unless told otherwise. */
export function secretPrefix({ namespace, environment, node }: Manifest): string {
  return `${namespace}/${environment}/node-${node}/`;
}

export function passwordContext(manifest: Manifest): Record<string, string> {
  return encryptionContext(manifest, PASSWORD_SECRET);
}

/** A symmetric ciphertext of AWS KMS carries more than a hundred bytes beside the content. */
const MIN_BLOB_BYTES = 100;

/**
 * Keeps plaintext from being taken for what KMS has encrypted: a password as it is, or one in hex or base64.
 * @throws AdminError SECRET_NOT_CIPHERTEXT
 */
export function assertCiphertext(name: string, blob: Uint8Array): void {
  const isText = blob.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  if (blob.length >= MIN_BLOB_BYTES && blob.length <= MAX_SECRET_BLOB_BYTES && !isText) return;
  throw new AdminError('SECRET_NOT_CIPHERTEXT', 'not the bytes of a KMS ciphertext', {
    name,
    length: blob.length,
    isText,
  });
}

/** SHA-256 in hex: names a ciphertext for people, and says nothing of what is in it. */
export function fingerprint(blob: Uint8Array): string {
  return createHash('sha256').update(blob).digest('hex');
}
