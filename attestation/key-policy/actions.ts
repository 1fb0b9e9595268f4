/**
 * KMS actions by their effect on a secret under a node's symmetric key. The names are complete: a test compares the names
 * with kms-operations.json, which is AWS's own list.
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Key Management Service".
 */
export const KMS_ACTIONS = {
  /** Gives plaintext; with a Recipient, only to the attested key. */
  use: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyPair', 'kms:DeriveSharedSecret'],
  /** Hands the key over: what comes of it is bound by no attestation document and by no condition of this policy. */
  bypass: [
    'kms:ReEncryptFrom',
    'kms:CreateGrant',
    'kms:ReplicateKey',
    'kms:UpdatePrimaryRegion',
    'kms:ImportKeyMaterial',
  ],
  /** Makes blobs that a node could take for its own. */
  mint: [
    'kms:Encrypt',
    'kms:GenerateDataKeyWithoutPlaintext',
    'kms:GenerateDataKeyPairWithoutPlaintext',
    'kms:ReEncryptTo',
  ],
  /** Decides who may do all the rest. */
  control: ['kms:PutKeyPolicy'],
  /** Takes the secret from everybody. */
  destroy: ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:DeleteImportedKeyMaterial'],
  /** Uses keys of other kinds: a symmetric key refuses each of them. */
  otherKinds: [
    'kms:Decapsulate',
    'kms:Encapsulate',
    'kms:GenerateMac',
    'kms:GetPublicKey',
    'kms:Sign',
    'kms:Verify',
    'kms:VerifyMac',
  ],
  /** Changes the key without touching what it protects. */
  manage: [
    'kms:CancelKeyDeletion',
    'kms:CreateAlias',
    'kms:DeleteAlias',
    'kms:DisableKeyRotation',
    'kms:EnableKey',
    'kms:EnableKeyRotation',
    'kms:GetParametersForImport',
    'kms:RetireGrant',
    'kms:RevokeGrant',
    'kms:RotateKeyOnDemand',
    // Called by KMS itself between the replicas of a multi-Region key; no operation of the API.
    'kms:SynchronizeMultiRegionKey',
    'kms:TagResource',
    'kms:UntagResource',
    'kms:UpdateAlias',
    'kms:UpdateKeyDescription',
  ],
  read: [
    'kms:DescribeKey',
    'kms:GetKeyLastUsage',
    'kms:GetKeyPolicy',
    'kms:GetKeyRotationStatus',
    'kms:ListGrants',
    'kms:ListKeyPolicies',
    'kms:ListKeyRotations',
    'kms:ListResourceTags',
  ],
} as const satisfies Record<string, readonly `kms:${string}`[]>;

/** Actions that name no existing key, which no key policy decides. */
export const ACTIONS_WITHOUT_KEY: readonly string[] = [
  'kms:ConnectCustomKeyStore',
  'kms:CreateCustomKeyStore',
  'kms:CreateKey',
  'kms:DeleteCustomKeyStore',
  'kms:DescribeCustomKeyStores',
  'kms:DisconnectCustomKeyStore',
  'kms:GenerateRandom',
  'kms:ListAliases',
  'kms:ListKeys',
  'kms:ListRetirableGrants',
  'kms:UpdateCustomKeyStore',
];

/** Every action on a key, the weightiest first. */
export const ALL_KMS_ACTIONS: readonly string[] = Object.values(KMS_ACTIONS).flat();

/** Whether an action takes a Recipient, so that PCR conditions can bind it. */
export function isAttestable(action: string): boolean {
  return (KMS_ACTIONS.use as readonly string[]).includes(action);
}
