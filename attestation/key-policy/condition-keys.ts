/** A condition key on a PCR of an attestation document. */
export interface AttestationKey {
  readonly platform: 'enclave' | 'nitrotpm';
  readonly pcr: number;
}

export const ATTESTATION_PREFIX = 'kms:recipientattestation:';
const PCR_NAME = /^(nitrotpm)?pcr(0|[1-9][0-9]?)$/;
const LAST_PCR = { enclave: 31, nitrotpm: 23 } as const;

/**
 * Parses an attestation condition key, in any case; undefined for any other key, and for one with the prefix that KMS puts
 * into no request.
 * Source: KMS Developer Guide, "Condition keys for Nitro Enclaves" and "Condition keys for NitroTPM".
 */
export function parseAttestationKey(key: string): AttestationKey | undefined {
  const lower = key.toLowerCase();
  if (!lower.startsWith(ATTESTATION_PREFIX)) return undefined;
  const name = lower.slice(ATTESTATION_PREFIX.length);
  if (name === 'imagesha384') return { platform: 'enclave', pcr: 0 };
  const [, tpm, digits] = PCR_NAME.exec(name) ?? [];
  if (digits === undefined) return undefined;
  const platform = tpm === undefined ? 'enclave' : 'nitrotpm';
  const pcr = Number(digits);
  return pcr <= LAST_PCR[platform] ? { platform, pcr } : undefined;
}

/** Names of KMS's condition keys in lower case. Source: KMS Developer Guide, "AWS KMS condition keys". */
const KMS_KEYS: ReadonlySet<string> = new Set(
  [
    'BypassPolicyLockoutSafetyCheck',
    'CallerAccount',
    'CustomerMasterKeySpec',
    'CustomerMasterKeyUsage',
    'DataKeyPairSpec',
    'EncryptionAlgorithm',
    'EncryptionContextKeys',
    'ExpirationModel',
    'GrantConstraintType',
    'GrantIsForAWSResource',
    'GrantOperations',
    'GranteePrincipal',
    'KeyAgreementAlgorithm',
    'KeyOrigin',
    'KeySpec',
    'KeyUsage',
    'MacAlgorithm',
    'MessageType',
    'MultiRegion',
    'MultiRegionKeyType',
    'PolicyName',
    'PrimaryRegion',
    'ReEncryptOnSameKey',
    'ReplicaRegion',
    'RequestAlias',
    'ResourceAliases',
    'RetiringPrincipal',
    'RotationPeriodInDays',
    'ScheduleKeyDeletionPendingWindowInDays',
    'SigningAlgorithm',
    'ValidTo',
    'ViaService',
    'WrappingAlgorithm',
    'WrappingKeySpec',
  ].map((name) => `kms:${name.toLowerCase()}`),
);

/** Whether KMS ever puts a key into a request; true for every key without the prefix `kms:`, which is not looked up. */
export function isKnownConditionKey(key: string): boolean {
  const lower = key.toLowerCase();
  if (!lower.startsWith('kms:')) return true;
  if (lower.startsWith('kms:encryptioncontext:')) return true;
  return KMS_KEYS.has(lower) || parseAttestationKey(lower) !== undefined;
}

/**
 * Names of keys that have one value in a request, if any. A key that is not listed may have several values.
 * Source: IAM User Guide, "AWS global condition context keys"; KMS Developer Guide, "AWS KMS condition keys".
 */
const SINGLE_VALUED: ReadonlySet<string> = new Set(
  [
    'aws:AssumedRoot',
    'aws:CurrentTime',
    'aws:Ec2InstanceSourcePrivateIPv4',
    'aws:Ec2InstanceSourceVpc',
    'aws:EpochTime',
    'aws:FederatedProvider',
    'aws:MultiFactorAuthAge',
    'aws:MultiFactorAuthPresent',
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:PrincipalIsAWSService',
    'aws:PrincipalOrgID',
    'aws:PrincipalServiceName',
    'aws:PrincipalType',
    'aws:Referer',
    'aws:RequestedRegion',
    'aws:ResourceAccount',
    'aws:ResourceOrgID',
    'aws:SecureTransport',
    'aws:SourceAccount',
    'aws:SourceArn',
    'aws:SourceIdentity',
    'aws:SourceIp',
    'aws:SourceOrgID',
    'aws:SourceVpc',
    'aws:SourceVpcArn',
    'aws:SourceVpce',
    'aws:TokenIssueTime',
    'aws:UserAgent',
    'aws:ViaAWSService',
    'aws:VpcSourceIp',
    'aws:userid',
    'aws:username',
    ...[...KMS_KEYS].filter(
      (key) => !['kms:encryptioncontextkeys', 'kms:grantoperations', 'kms:resourcealiases'].includes(key),
    ),
  ].map((key) => key.toLowerCase()),
);
const SINGLE_VALUED_TAGS = ['aws:principaltag/', 'aws:resourcetag/', 'aws:requesttag/'];

/** Whether a request may have several values of a key at once. */
export function isMultivalued(key: string): boolean {
  const lower = key.toLowerCase();
  return !SINGLE_VALUED.has(lower) && !SINGLE_VALUED_TAGS.some((prefix) => lower.startsWith(prefix));
}
