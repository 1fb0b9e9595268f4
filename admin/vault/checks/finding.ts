import type { Role } from '../roles.ts';

/**
 * Severities of a finding, the worst first: nothing is derived from such a description; whoever goes on should know why
 * it is meant; it is for a reader to know.
 */
export const VAULT_SEVERITIES = ['error', 'warning', 'note'] as const;
export type VaultSeverity = (typeof VAULT_SEVERITIES)[number];

/** Codes of what does not fit together in a description alone; docs/codes.md explains each of them. */
export type OfflineFindingCode =
  | 'ADMIN_ALONE'
  | 'ADMIN_IS_USER'
  | 'ADMIN_OF_OTHER_ACCOUNT'
  | 'ADMIN_OF_OTHER_PARTITION'
  | 'AUTHORITY_FUNCTION_ALONE'
  | 'AUTHORITY_KEY_SHARED'
  | 'AUTHORITY_THRESHOLD_UNMET'
  | 'CLIENTS_FROM_ANYWHERE'
  | 'CONFIGURATION_FINDING'
  | 'GATEWAY_CLIENT_OWNER'
  | 'GATEWAY_CLIENT_UNKNOWN'
  | 'HOST_TYPE_UNFIT'
  | 'KEY_NOT_RECOVERABLE'
  | 'KEY_OF_TWO_PURPOSES'
  | 'KEY_PER_NODE'
  | 'KEY_TO_RECOVER'
  | 'NATS_REPLICAS_UNMET'
  | 'NATS_WITHOUT_PEERS'
  | 'NAME_TOO_LONG'
  | 'NAME_UNFIT'
  | 'NETWORKS_OVERLAP'
  | 'NODES_IN_ONE_ACCOUNT'
  | 'NODE_IN_INFRASTRUCTURE_ACCOUNT'
  | 'OWNERS_EVERYBODY'
  | 'OWNER_SIGNS'
  | 'OWNER_UNKNOWN'
  | 'PARTITIONS_DIFFER'
  | 'PART_CERTIFICATE_ENDS'
  | 'PART_CERTIFICATE_UNUSABLE'
  | 'PEER_WITNESSES_BEAR_LESS'
  | 'PEER_WITNESSES_UNMET'
  | 'PEER_WITNESSES_UNSOUND'
  | 'PERSON_IN_TWO_ROLES'
  | 'PUBLIC_KEY_UNUSABLE'
  | 'RECOVERY_KEYS_DIFFER'
  | 'REGION_UNFIT'
  | 'REGION_UNKNOWN'
  | 'REGIONS_DIFFER'
  | 'RELEASE_IN_FOLDER'
  | 'RELEASE_KEY_MISSING'
  | 'RELEASE_KEY_UNUSABLE'
  | 'RULE_ADMINISTERS'
  | 'SERVERS_ANYWHERE'
  | 'STATEMENT_KEY_MISTAKEN'
  | 'STATEMENT_KEY_NOT_YOURS'
  | 'STATEMENT_KEY_SHARED'
  | 'TENANT_MALFORMED'
  | 'TENANT_NAME_RESERVED'
  | 'THRESHOLD_ABOVE_NODES'
  | 'THRESHOLD_BELOW_MAJORITY'
  | 'THRESHOLD_BEARS_NO_LOSS'
  | 'THRESHOLD_OF_ONE'
  | 'UPGRADE_PROOF_MISSING'
  | 'VALUE_LEFT_OPEN'
  | 'WITNESS_KEY_UNUSABLE'
  | 'WITNESS_OUT_OF_REACH';

/** Codes of what an AWS account holds otherwise than the description says; docs/codes.md explains each of them. */
export type AccountFindingCode =
  | 'ACCOUNT_NOT_SEEN'
  | 'CREDENTIALS_OF_NO_ADMIN'
  | 'CREDENTIALS_OF_OTHER_ACCOUNT'
  | 'HOST_OUT_OF_NETWORK'
  | 'KMS_KEY_NOT_USABLE'
  | 'KMS_KEY_OF_OTHER_ACCOUNT'
  | 'KMS_KEY_OF_OTHER_KIND'
  | 'KMS_KEY_OF_OTHER_REGION'
  | 'STACK_DELETED'
  | 'STACK_IN_PROGRESS'
  | 'STACK_OF_OTHER_TEMPLATE'
  | 'STACK_PARAMETERS_DIFFER'
  | 'STACK_STUCK';

export type VaultFindingCode = OfflineFindingCode | AccountFindingCode;

/** Something in a description, or in an account, that does not fit together, and what to do about it. */
export interface VaultFinding {
  readonly code: VaultFindingCode;
  readonly severity: VaultSeverity;
  /** Roles that it concerns; empty: all of them. */
  readonly roles: readonly Role[];
  /** Field of vault.yaml, such as `nodes.0.account`; or a stack or a key of an account. */
  readonly path: string;
  /** Line of vault.yaml, from 1; null where the finding is about an account. */
  readonly line: number | null;
  readonly text: string;
  readonly advice: string;
}

/** Finding before its place in the file is known. */
export interface OpenFinding extends Omit<VaultFinding, 'path' | 'line' | 'roles'> {
  readonly roles?: readonly Role[];
  readonly path: readonly (string | number)[];
}
