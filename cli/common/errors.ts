import { HoldfastError } from '../../shared/errors.ts';

export type CliErrorCode =
  /** A configuration decides a case of a table otherwise than the table expects. */
  | 'CASES_DIFFER'
  /** The lint finds errors in a configuration that is to be signed. */
  | 'CONFIGURATION_LINTED'
  /** A table of cases is not YAML. */
  | 'CASES_FILE_MALFORMED'
  /** A ceremony has not ended within the time that the command waits: the nodes go on with it. */
  | 'CEREMONY_UNFINISHED'
  /** What was asked for runs from a working copy of the project alone. */
  | 'CLONE_NEEDED'
  /** The person at the terminal said no. */
  | 'DECLINED'
  /** The configuration file of a door may be written by others than its owner. */
  | 'GATEWAY_CONFIG_EXPOSED'
  /** The configuration file of a door is not YAML, or too long. */
  | 'GATEWAY_CONFIG_UNREADABLE'
  /** A variable of the environment or a file that holds a secret is not there, empty or too long. */
  | 'GATEWAY_SECRET_MISSING'
  /** The door runs, and no node that it has verified answers. */
  | 'GATEWAY_NOT_READY'
  /** What answers is no door. */
  | 'GATEWAY_STATUS_MALFORMED'
  /** No door answers there. */
  | 'GATEWAY_UNREACHABLE'
  | 'INPUT_TOO_LARGE'
  /** The command was ended by Ctrl-C, or SIGTERM. */
  | 'INTERRUPTED'
  /** A private key may be read or written by others than its owner. */
  | 'KEY_FILE_EXPOSED'
  /** The file is not a private key in PEM without a password, or not of the type that is needed. */
  | 'KEY_FILE_MALFORMED'
  /** The file of public keys is not what `node keys --json` prints. */
  | 'KEYS_FILE_MALFORMED'
  /** The node holds no key of that id. */
  | 'KEY_UNKNOWN'
  /** No algorithm of the key takes such a payload. */
  | 'KEY_UNSUITABLE'
  /** A resource of a log that its checkpoint says is there, and is not. */
  | 'LOG_INCOMPLETE'
  | 'LOG_UNREACHABLE'
  /** An entry that is no statement of a node, or one at another place than it says. */
  | 'LOG_ENTRY_WRONG'
  /** The manifest measures to another PCR16 than the one expected. */
  | 'MANIFEST_PCR_MISMATCH'
  /** pcr.json names no PCR16. */
  | 'MANIFEST_PCR_MISSING'
  /** pcr.json already names another PCR16. */
  | 'MANIFEST_PCR_PRESENT'
  /** Something has the name of the folder that is to be written. */
  | 'OUTPUT_EXISTS'
  /** One of several files could not be written; those before it were taken back. */
  | 'OUTPUT_INCOMPLETE'
  /** The file of a transaction is none of the kind that was named. */
  | 'PAYLOAD_FILE_MALFORMED'
  /** The file that says where secrets come from, and which programs to start, may be written by others than its owner. */
  | 'POPULATE_VALUES_EXPOSED'
  | 'POPULATE_VALUES_MALFORMED'
  /** The policy is not the one that PutKeyPolicy writes, but another such as AWS_RAM. */
  | 'POLICY_NAME'
  /** The profile, which names what verdicts rest on, may be written by others than its owner. */
  | 'PROFILE_EXPOSED'
  /** The file is not the YAML of a profile: an unknown field, or a value that is not one line of text. */
  | 'PROFILE_MALFORMED'
  /** The file in which docker and others keep credentials for registries is not JSON of their form. */
  | 'REGISTRY_CONFIG_UNREADABLE'
  /** What should be the root of attestation documents is no certificate. */
  | 'ROOT_MALFORMED'
  /** The file of a secret is there already, and nothing says that it may be replaced. */
  | 'SECRET_EXISTS'
  /** A folder of a local node holds what a local node cannot have written. */
  | 'STATE_DAMAGED'
  /** The state of an earlier run is of a quorum of another size. */
  | 'STATE_OTHER_SIZE'
  /** The response is not the status page of a parent. */
  | 'STATUS_MALFORMED'
  | 'STATUS_UNREACHABLE'
  /** The configuration names a store that is not there. */
  | 'STORE_MISSING'
  /** What a role's machine remembers of the ceremony is not what "vault apply" writes. */
  | 'VAULT_JOURNAL_DAMAGED'
  /** Another run of the same role is under way on this machine. */
  | 'VAULT_LOCKED';

/** Refusal of the command itself; its parts have errors of their own. */
export class CliError extends HoldfastError<CliErrorCode> {}
