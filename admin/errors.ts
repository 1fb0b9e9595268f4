import { HoldfastError } from '../shared/errors.ts';

export type AdminErrorCode =
  /** AWS gave no credentials for this profile, or none were configured. */
  | 'AWS_CREDENTIALS'
  /** The credentials were good, and their time is over. */
  | 'AWS_CREDENTIALS_EXPIRED'
  /** AWS answered with an error; `details.error` is its name. */
  | 'AWS_REFUSED'
  /** AWS did not answer, or its TLS certificate is not one that is trusted. */
  | 'AWS_UNREACHABLE'
  /** A change that grants something, and nobody who has seen it and said yes. */
  | 'DECLINED'
  /** The node would refuse an envelope of this length. */
  | 'ENVELOPE_TOO_LARGE'
  /** The caller's signal was aborted. */
  | 'INTERRUPTED'
  /** The manifest does not name the key as a configuration authority. */
  | 'KEY_NOT_AUTHORITY'
  /** KMS answered for another key than the manifest's. */
  | 'KMS_OTHER_KEY'
  /** The measurements of an image name the PCR16 of another manifest. */
  | 'MANIFEST_PCR_MISMATCH'
  /** A quorum of more or fewer manifests than each of them says. */
  | 'QUORUM_INCOMPLETE'
  | 'QUORUM_KEYS_MISSING'
  /** Manifests that do not belong to one quorum. */
  | 'QUORUM_MANIFESTS_DIFFER'
  /** Somebody else changed the secret at the same time. */
  | 'SECRET_CHANGED'
  /** There is a secret already, and nothing says that it may be replaced. */
  | 'SECRET_EXISTS'
  /** What should be a KMS ciphertext is too short or long for one, or is text. */
  | 'SECRET_NOT_CIPHERTEXT'
  /** What Secrets Manager gives back is not what was written. */
  | 'SECRET_NOT_WRITTEN'
  /** No newer than the configuration in force, so that the node would refuse it. */
  | 'VERSION_NOT_NEWER';

/** What a ceremony refuses: the step that was planned, its material, or what AWS made of it. */
export class AdminError extends HoldfastError<AdminErrorCode> {}
