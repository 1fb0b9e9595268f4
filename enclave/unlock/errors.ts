import { HoldfastError } from '../../shared/errors.ts';

export type UnlockErrorCode =
  /** CiphertextForRecipient is not the CMS that KMS makes, or is not for this enclave's key. */
  | 'CMS_MALFORMED'
  | 'CMS_WRONG_RECIPIENT'
  | 'CMS_DECRYPT_FAILED'
  /** KMS refused; `details.reason` is AWS's error name. */
  | 'KMS_ACCESS_DENIED'
  | 'KMS_INCORRECT_KEY'
  | 'KMS_INVALID_CIPHERTEXT'
  | 'KMS_REFUSED'
  /** KMS was not reached: network, TLS, or no answer in time. */
  | 'KMS_UNREACHABLE'
  /** The certificate of who answered does not lead to a root that the image trusts. */
  | 'KMS_UNTRUSTED'
  /** The answer lacks what was asked for: a Recipient was dropped on the way, or another key answered. */
  | 'KMS_PLAINTEXT_RETURNED'
  | 'KMS_RECIPIENT_MISSING'
  | 'KMS_KEY_MISMATCH';

export class UnlockError extends HoldfastError<UnlockErrorCode> {}
