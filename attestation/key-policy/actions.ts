/**
 * KMS actions that a key policy can allow on a symmetric key, by what they mean for a secret under it.
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Key Management Service".
 */
export const KMS_ACTIONS = {
  /** Gives plaintext; with a Recipient, only to the attested key. */
  use: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyPair', 'kms:DeriveSharedSecret'],
  /** Gets around attestation altogether: a grant or a foreign key has no recipient condition. */
  bypass: ['kms:ReEncryptFrom', 'kms:CreateGrant'],
  /** Makes blobs that a node could take for its own. */
  mint: ['kms:Encrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptTo'],
  /** Decides who may do all the rest. */
  control: ['kms:PutKeyPolicy'],
  /** Takes the secret from everybody. */
  destroy: ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:DeleteImportedKeyMaterial'],
  /** Changes the key without touching what it protects. */
  manage: [
    'kms:CancelKeyDeletion',
    'kms:CreateAlias',
    'kms:DeleteAlias',
    'kms:DisableKeyRotation',
    'kms:EnableKey',
    'kms:EnableKeyRotation',
    'kms:ImportKeyMaterial',
    'kms:ReplicateKey',
    'kms:RetireGrant',
    'kms:RevokeGrant',
    'kms:RotateKeyOnDemand',
    'kms:TagResource',
    'kms:UntagResource',
    'kms:UpdateAlias',
    'kms:UpdateKeyDescription',
    'kms:UpdatePrimaryRegion',
  ],
  read: [
    'kms:DescribeKey',
    'kms:GetKeyPolicy',
    'kms:GetKeyRotationStatus',
    'kms:GetParametersForImport',
    'kms:ListGrants',
    'kms:ListKeyPolicies',
    'kms:ListKeyRotations',
    'kms:ListResourceTags',
  ],
} as const satisfies Record<string, readonly `kms:${string}`[]>;

/** Every one of them, the weightiest first. */
export const ALL_KMS_ACTIONS: readonly string[] = Object.values(KMS_ACTIONS).flat();

/** Those that take a Recipient, so that PCR conditions can bind them. */
export function isAttestable(action: string): boolean {
  return (KMS_ACTIONS.use as readonly string[]).includes(action);
}
