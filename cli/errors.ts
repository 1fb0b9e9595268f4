import { HoldfastError } from '../shared/errors.ts';

export type CliErrorCode =
  /** What was asked for runs from a working copy of the project alone. */
  | 'CLONE_NEEDED'
  /** The person at the terminal said no. */
  | 'DECLINED'
  | 'INPUT_TOO_LARGE'
  /** Ctrl-C, or SIGTERM. */
  | 'INTERRUPTED'
  /** Others than its owner may read a private key. */
  | 'KEY_FILE_EXPOSED'
  /** Not a private key in PEM without a password, or not of the type that is needed. */
  | 'KEY_FILE_MALFORMED'
  /** The node holds no key of that id. */
  | 'KEY_UNKNOWN'
  /** No algorithm of the key takes such a payload. */
  | 'KEY_UNSUITABLE'
  /** The manifest measures to another PCR16 than the one expected. */
  | 'MANIFEST_PCR_MISMATCH'
  /** pcr.json names no PCR16. */
  | 'MANIFEST_PCR_MISSING'
  /** pcr.json already names another PCR16. */
  | 'MANIFEST_PCR_PRESENT'
  /** A policy that is not the one that PutKeyPolicy writes, such as AWS_RAM. */
  | 'POLICY_NAME'
  /** Others than its owner may write the profile, which names what verdicts rest on. */
  | 'PROFILE_EXPOSED'
  /** Not the YAML of a profile: an unknown field, or a value that is not one line of text. */
  | 'PROFILE_MALFORMED'
  /** What should be the root of attestation documents is no certificate. */
  | 'ROOT_MALFORMED'
  /** The file of a secret is there already, and nothing says that it may be replaced. */
  | 'SECRET_EXISTS'
  /** A folder of a local node holds what a local node cannot have written. */
  | 'STATE_DAMAGED'
  /** What answers is not the status page of a parent. */
  | 'STATUS_MALFORMED'
  | 'STATUS_UNREACHABLE'
  /** The configuration names a store that is not there. */
  | 'STORE_MISSING';

/** What the command itself refuses; its parts have errors of their own. */
export class CliError extends HoldfastError<CliErrorCode> {}
