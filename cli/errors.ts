import { HoldfastError } from '../shared/errors.ts';

export type CliErrorCode =
  /** AWS gave no credentials for this profile, or none were configured. */
  | 'AWS_CREDENTIALS'
  /** AWS responded with an error; `details.error` is its name. */
  | 'AWS_REFUSED'
  /** AWS did not respond, or its TLS certificate is not one that is trusted. */
  | 'AWS_UNREACHABLE'
  /** The command runs from a working copy of the project alone. */
  | 'CLONE_NEEDED'
  /** The person at the terminal said no. */
  | 'DECLINED'
  /** The node would refuse an envelope of this length. */
  | 'ENVELOPE_TOO_LARGE'
  | 'INPUT_TOO_LARGE'
  /** The command was ended by Ctrl-C, or SIGTERM. */
  | 'INTERRUPTED'
  /** A private key may be read or written by others than its owner. */
  | 'KEY_FILE_EXPOSED'
  /** The file is not a private key in PEM without a password, or not of the type that is needed. */
  | 'KEY_FILE_MALFORMED'
  /** The manifest does not name the key as a configuration authority. */
  | 'KEY_NOT_AUTHORITY'
  /** The node holds no key of that id. */
  | 'KEY_UNKNOWN'
  /** No algorithm of the key takes such a payload. */
  | 'KEY_UNSUITABLE'
  /** KMS responded for another key than the manifest's. */
  | 'KMS_OTHER_KEY'
  /** The manifest measures to another PCR16 than the one expected. */
  | 'MANIFEST_PCR_MISMATCH'
  /** pcr.json names no PCR16. */
  | 'MANIFEST_PCR_MISSING'
  /** pcr.json already names another PCR16. */
  | 'MANIFEST_PCR_PRESENT'
  /** The policy is not the one that PutKeyPolicy writes, but another such as AWS_RAM. */
  | 'POLICY_NAME'
  /** The profile, which names what verdicts rest on, may be written by others than its owner. */
  | 'PROFILE_EXPOSED'
  /** The file is not the YAML of a profile: an unknown field, or a value that is not one line of text. */
  | 'PROFILE_MALFORMED'
  /** A signed envelope of the right type whose content is no record of the gate. */
  | 'RECORD_MALFORMED'
  /** The record of the gate is about another policy, document or root. */
  | 'RECORD_MISMATCH'
  /** The file that should hold the root of attestation documents holds no certificate. */
  | 'ROOT_MALFORMED'
  /** Somebody else changed the secret at the same time. */
  | 'SECRET_CHANGED'
  /** The secret exists already, and nothing says that it may be replaced. */
  | 'SECRET_EXISTS'
  /** The file that should be a KMS ciphertext is too short or long for one, or is text. */
  | 'SECRET_NOT_CIPHERTEXT'
  /** Secrets Manager gives back another value than was written. */
  | 'SECRET_NOT_WRITTEN'
  /** A folder of a local node holds what a local node cannot have written. */
  | 'STATE_DAMAGED'
  /** The response is not the status page of a parent. */
  | 'STATUS_MALFORMED'
  | 'STATUS_UNREACHABLE'
  /** The configuration names a store that is not there. */
  | 'STORE_MISSING'
  /** The configuration is no newer than the one in force, so that the node would refuse it. */
  | 'VERSION_NOT_NEWER';

/** Refusal of the command itself; its parts have errors of their own. */
export class CliError extends HoldfastError<CliErrorCode> {}
