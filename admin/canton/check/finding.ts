/** Severities of a finding, the worst first: the node stops or its keys are at risk; it may; it may be meant. */
export const CHECK_SEVERITIES = ['error', 'warning', 'note'] as const;
export type CheckSeverity = (typeof CHECK_SEVERITIES)[number];

/** Codes of what a check finds; docs/codes.md explains each of them. */
export type CheckFindingCode =
  | 'AUDIT_LOGGING_OFF'
  | 'CONFIG_FIELD_UNKNOWN'
  | 'CONFIG_FIELD_WRONG'
  | 'CONFIG_FROM_SECRET'
  | 'CONFIG_MOUNT_READ_ONLY'
  | 'CONFIG_NOT_READ'
  | 'CONFIG_SUBSTITUTION_UNANSWERED'
  | 'CONFIG_UNPARSABLE'
  | 'CONFIG_URL_UNQUOTED'
  | 'CONFIG_VARIABLE_LEFT'
  | 'CREDENTIALS_ABSENT'
  | 'CREDENTIALS_BESIDE_ROLE'
  | 'CREDENTIALS_INLINE'
  | 'DOOR_MISSING'
  | 'DOOR_WITHOUT_PROBE'
  | 'ENDPOINT_DIFFERS'
  | 'ENDPOINT_EMPTY'
  | 'ENDPOINT_HTTP'
  | 'FRAGMENT_NAME_IGNORED'
  | 'FRAGMENT_ORDER_NUMERIC'
  | 'FRAGMENT_OVERRIDDEN'
  | 'IAM_PERMISSION_EXCESSIVE'
  | 'IAM_PERMISSION_MISSING'
  | 'IAM_POLICY_NOT_SEEN'
  | 'IMAGE_BY_TAG'
  | 'IMAGE_DIFFERS'
  | 'IMAGE_UNATTESTED'
  | 'KEY_IN_OTHER_REGION'
  | 'KEY_NAMES_ALIKE'
  | 'KEY_OF_TWO_VALIDATORS'
  | 'KMS_FIELD_LEFT_OVER'
  | 'KMS_OFF_HERE'
  | 'KMS_ON_HERE'
  | 'KMS_REGION_DIFFERS'
  | 'KMS_REGION_MISSING'
  | 'KMS_TYPE_DIFFERS'
  | 'KMS_UNPROBED'
  | 'KMS_UNUSED'
  | 'NODE_NAME_OTHER'
  | 'NON_STANDARD_CONFIG'
  | 'PRIVATE_KEY_STORE_IGNORED'
  | 'REPLICAS_SEVERAL'
  | 'RETRIES_PARTIAL'
  | 'ROLE_ANNOTATION_DIFFERS'
  | 'ROLE_ANNOTATION_MISSING'
  | 'SECRETS_NOT_SEEN'
  | 'SECRET_ABSENT'
  | 'SERVICE_ACCOUNT_ABSENT'
  | 'SERVICE_ACCOUNT_DIFFERS'
  | 'SESSION_KEYS_OFF'
  | 'SESSION_KEYS_PLACE'
  | 'SESSION_KEYS_UNUSED'
  | 'SSL_VERIFICATION_OFF'
  | 'TOKEN_AUTOMOUNTED'
  | 'TRUST_STORE_ABSENT'
  | 'VARIABLES_NOT_SEEN'
  | 'WORKLOAD_ABSENT';

/** What a check has found, and what to do about it. */
export interface CheckFinding {
  readonly code: CheckFindingCode;
  readonly severity: CheckSeverity;
  /** Name of the validator. */
  readonly validator: string;
  /** Where: an object and a field of it, or a variable and a line of its text. */
  readonly path: string;
  readonly text: string;
  readonly advice: string;
}

/** Takes note of a finding about one validator. */
export type Report = (
  code: CheckFindingCode,
  severity: CheckSeverity,
  path: string,
  text: string,
  advice: string,
) => void;
