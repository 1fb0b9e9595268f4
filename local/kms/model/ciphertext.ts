import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionContext } from '../../../shared/kms/index.ts';

const FORMAT = 1;
const IV_LENGTH = 12;
const TAG_LENGTH = 16;

/**
 * Seals a ciphertext blob: format, length and text of the key's ARN, IV, AES-256-GCM ciphertext and tag. Header and
 * encryption context are authenticated. Clients have to take the blob as opaque.
 */
export function sealBlob(
  keyArn: string,
  material: Uint8Array,
  context: EncryptionContext,
  plaintext: Uint8Array,
): Uint8Array {
  const arn = Buffer.from(keyArn, 'ascii');
  const header = Buffer.concat([Uint8Array.of(FORMAT, arn.length), arn, randomBytes(IV_LENGTH)]);
  const cipher = createCipheriv('aes-256-gcm', material, header.subarray(-IV_LENGTH));
  cipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** ARN of the key that a blob claims; undefined for what is no blob. Nothing is verified yet. */
export function unsafeKeyArnOf(blob: Uint8Array): string | undefined {
  const [format, length = 0] = blob;
  if (format !== FORMAT || blob.length < 2 + length + IV_LENGTH + TAG_LENGTH) return undefined;
  return Buffer.from(blob.subarray(2, 2 + length)).toString('latin1');
}

/** Opens a blob; undefined when it was changed, or made with another key or encryption context. */
export function openBlob(
  blob: Uint8Array,
  material: Uint8Array,
  context: EncryptionContext,
): Uint8Array | undefined {
  const headerLength = 2 + (blob[1] ?? 0) + IV_LENGTH;
  const header = blob.subarray(0, headerLength);
  const decipher = createDecipheriv('aes-256-gcm', material, header.subarray(-IV_LENGTH));
  decipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  decipher.setAuthTag(blob.subarray(-TAG_LENGTH));
  const content = decipher.update(blob.subarray(headerLength, -TAG_LENGTH));
  try {
    decipher.final();
    return content;
  } catch {
    content.fill(0);
    return undefined;
  }
}

/** Encodes a context in one order: the order of the pairs does not matter to AWS. */
function canonicalContext(context: EncryptionContext): Uint8Array {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return Buffer.from(JSON.stringify(pairs), 'utf8');
}
