import { HoldfastError } from '../../shared/errors.ts';

export type VaultErrorCode =
  /** vault.yaml is not YAML, or a field is missing, unknown or malformed; `fields` names them with their places. */
  | 'VAULT_MALFORMED'
  /** vault.yaml is there already, and is not what would be written. */
  | 'VAULT_EXISTS'
  /** A role has written its answers before, and other ones; `missing` names a key that was there then. */
  | 'VAULT_JOIN_EXISTS'
  /** The file of a role's answers is not what `vault join` writes; `field` says where. */
  | 'VAULT_JOIN_MALFORMED'
  /** Two files of answers are of one role. */
  | 'VAULT_JOIN_REPEATED'
  /** A KMS key or a signing key that a manifest should name is not the node's own; `field` says in what. */
  | 'VAULT_KEY_MISPLACED'
  /** A manifest is not the one that vault.yaml describes for its node. */
  | 'VAULT_MANIFEST_DIFFERS'
  /** The exchanged statements do not say where nodes serve, and with which release; `missing` names one that lacks. */
  | 'VAULT_NOT_SERVING'
  /** The description has no role of this name. */
  | 'VAULT_ROLE_UNKNOWN'
  /** A private key, an access key or a password stands in vault.yaml; `line` says where. */
  | 'VAULT_SECRET_INSIDE'
  /** The offline check finds errors, so that nothing is derived; `findings` names their codes. */
  | 'VAULT_UNSOUND';

/** Refusal of the description of a vault, or of what was to be made from it. */
export class VaultError extends HoldfastError<VaultErrorCode> {}
