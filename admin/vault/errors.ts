import { HoldfastError } from '../../shared/errors.ts';

export type VaultErrorCode =
  /** vault.yaml is not YAML, or a field is missing, unknown or malformed; `fields` names them with their places. */
  | 'VAULT_MALFORMED'
  /** The description has no role of this name. */
  | 'VAULT_ROLE_UNKNOWN'
  /** A private key, an access key or a password stands in vault.yaml; `line` says where. */
  | 'VAULT_SECRET_INSIDE'
  /** The offline check finds errors, so that nothing is derived; `findings` names their codes. */
  | 'VAULT_UNSOUND';

/** Refusal of the description of a vault, or of what was to be made from it. */
export class VaultError extends HoldfastError<VaultErrorCode> {}
