/** A condition key that tells of an attestation document. */
export interface AttestationKey {
  readonly platform: 'enclave' | 'nitrotpm';
  readonly pcr: number;
}

export const ATTESTATION_PREFIX = 'kms:recipientattestation:';
const PCR_NAME = /^(nitrotpm)?pcr(0|[1-9][0-9]?)$/;
const LAST_PCR = { enclave: 31, nitrotpm: 23 } as const;

/**
 * What an attestation condition key asks for, in any case; undefined for another key, and for one that only looks
 * like one: AWS finds it in no request.
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

/** Source: KMS Developer Guide, "AWS KMS condition keys". Lower case. */
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

/** Whether KMS ever puts a key into a request. Keys of other services and `aws:` ones are not looked at. */
export function isKnownConditionKey(key: string): boolean {
  const lower = key.toLowerCase();
  if (!lower.startsWith('kms:')) return true;
  if (lower.startsWith('kms:encryptioncontext:')) return true;
  return KMS_KEYS.has(lower) || parseAttestationKey(lower) !== undefined;
}

/** Those that have several values in one request. */
export function isMultivalued(key: string): boolean {
  const lower = key.toLowerCase();
  return ['kms:encryptioncontextkeys', 'kms:grantoperations', 'kms:resourcealiases', 'aws:tagkeys'].includes(
    lower,
  );
}
