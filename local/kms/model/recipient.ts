import { createPublicKey, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../../shared/errors.ts';
import type { RecipientInfo } from '../../../shared/kms/index.ts';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { type CmsShape, encodeEnvelopedData } from './cms.ts';

/** Fields of a verified attestation document that KMS uses. */
interface AttestedRecipient {
  /** Every PCR that the document lists, by index. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** SubjectPublicKeyInfo in DER; absent where the document has no key. */
  readonly publicKey?: Uint8Array | undefined;
}

/**
 * Verifies an attestation document under the trust root of the NSM's provider. Throws a HoldfastError for one that does
 * not verify at a time (milliseconds since 1970).
 */
export type RecipientVerifier = (
  document: Uint8Array,
  now: number,
) => AttestedRecipient | Promise<AttestedRecipient>;

/** Recipient that a secret is encrypted to, once its document is verified. */
export interface VerifiedRecipient {
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly publicKey: KeyObject;
}

/** Verifies the recipient of a request. @throws AwsServiceError ValidationException */
export async function verifyRecipient(
  recipient: RecipientInfo,
  verify: RecipientVerifier,
  now: number,
): Promise<VerifiedRecipient | undefined> {
  if (recipient === undefined) return undefined;
  const { pcrs, publicKey } = await verifyDocument(recipient.AttestationDocument, verify, now);
  // An enclave in debug mode has measurements that say nothing; AWS does not take its document for attestation.
  if ([0, 1, 2].some((index) => pcrs.get(index)?.every((byte) => byte === 0) ?? true)) {
    throw invalidDocument('it is of an enclave in debug mode');
  }
  if (publicKey === undefined) throw invalidDocument('it has no public key');
  return { pcrs, publicKey: parsePublicKey(publicKey) };
}

/**
 * Delivers a secret: in the clear under its own name, or for an attested recipient as a ciphertext that only its key
 * opens. The secret is cleared.
 */
export function deliver(
  shape: CmsShape,
  member: string,
  secret: Uint8Array,
  recipient: VerifiedRecipient | undefined,
): object {
  const delivered =
    recipient === undefined
      ? { [member]: toBase64(secret) }
      : { CiphertextForRecipient: toBase64(encodeEnvelopedData(secret, recipient.publicKey, shape)) };
  secret.fill(0);
  return delivered;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

async function verifyDocument(
  document: Uint8Array,
  verify: RecipientVerifier,
  now: number,
): Promise<AttestedRecipient> {
  try {
    return await verify(document, now);
  } catch (error) {
    if (error instanceof HoldfastError) throw invalidDocument(`it does not verify: ${String(error.code)}`);
    throw error;
  }
}

function parsePublicKey(spki: Uint8Array): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType === 'rsa' && bits >= 2048 && bits <= 4096) return key;
  } catch {
    // A failure here falls through to the same refusal.
  }
  throw invalidDocument('its public key is not RSA of 2048 to 4096 bits');
}

function invalidDocument(reason: string): AwsServiceError {
  return new AwsServiceError('ValidationException', `The attestation document is invalid: ${reason}`);
}
