import { ALGORITHMS_MEMBER, algorithmsOf, type KeySpec, type KeyUsage, specDetails } from './key-spec.ts';
import type { Scope } from './key-names.ts';

export const KEY_STATES = ['Enabled', 'Disabled', 'PendingDeletion'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** Key as KMS shows it. Times are milliseconds since 1970. */
export interface KeyDescription extends Scope {
  readonly arn: string;
  readonly keyId: string;
  readonly description: string;
  readonly createdAt: number;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly state: KeyState;
  /** Time of the deletion that was ordered. */
  readonly deletionAt?: number | undefined;
}

/**
 * Describes a key as KeyMetadata. `materialId` names the generation of a symmetric key's material that is in use, where
 * its maker has a name for it. Source: AWS KMS API Reference, "KeyMetadata".
 */
export function describeMetadata(key: KeyDescription, materialId?: string): object {
  const isSymmetric = specDetails(key.spec).type === 'symmetric';
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: key.createdAt / 1000,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyState: key.state,
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    MultiRegion: isMultiRegion(key),
    ...(isMultiRegion(key) ? { MultiRegionConfiguration: describePrimary(key) } : {}),
    ...describeKind(key),
    ...(isSymmetric && materialId !== undefined ? { CurrentKeyMaterialId: materialId } : {}),
    ...(key.deletionAt === undefined ? {} : { DeletionDate: key.deletionAt / 1000 }),
  };
}

/** Tells a key that could be replicated to other Regions by its id, as AWS names such keys. */
export function isMultiRegion({ keyId }: Pick<KeyDescription, 'keyId'>): boolean {
  return keyId.startsWith('mrk-');
}

function describePrimary({ arn, region }: KeyDescription): object {
  return { MultiRegionKeyType: 'PRIMARY', PrimaryKey: { Arn: arn, Region: region }, ReplicaKeys: [] };
}

/** Describes a key's kind in the members that DescribeKey and GetPublicKey share. */
export function describeKind({ spec, usage }: Pick<KeyDescription, 'spec' | 'usage'>): object {
  return {
    KeySpec: spec,
    // CustomerMasterKeySpec is the older name, whose values end with the kinds that existed when it was given up.
    ...(/^(?:ML_|ECC_NIST_EDWARDS)/.test(spec) ? {} : { CustomerMasterKeySpec: spec }),
    KeyUsage: usage,
    [ALGORITHMS_MEMBER[usage]]: algorithmsOf(spec, usage),
  };
}
