import { HoldfastError } from '../../shared/errors.ts';

export type UnlockErrorCode =
  /** CiphertextForRecipient is not the CMS that KMS makes. */
  | 'CMS_MALFORMED'
  /** CiphertextForRecipient is for another key than this enclave's. */
  | 'CMS_WRONG_RECIPIENT'
  | 'CMS_DECRYPT_FAILED'
  /** KMS refused; `details.reason` is AWS's error name. */
  | 'KMS_ACCESS_DENIED'
  | 'KMS_INCORRECT_KEY'
  | 'KMS_INVALID_CIPHERTEXT'
  | 'KMS_REFUSED'
  /** KMS was not reached: network, TLS, or no response in time. */
  | 'KMS_UNREACHABLE'
  /** The server's certificate does not lead to a root that the image trusts. */
  | 'KMS_UNTRUSTED'
  /** The response has a Plaintext: the Recipient was dropped on the way. */
  | 'KMS_PLAINTEXT_RETURNED'
  /** The response has no CiphertextForRecipient. */
  | 'KMS_RECIPIENT_MISSING'
  /** The response is of another key than the manifest names. */
  | 'KMS_KEY_MISMATCH';

export class UnlockError extends HoldfastError<UnlockErrorCode> {}
