import { ALGORITHMS_MEMBER, algorithmsOf, KEY_SPECS, specDetails, type KeySpec } from './key-spec.ts';
import { currentMaterial, type Key } from './key-store.ts';

/** Describes a key as KeyMetadata. Source: AWS KMS API Reference, "KeyMetadata". */
export function describeMetadata(key: Key): object {
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
    MultiRegion: false,
    ...describeKind(key),
    ...(specDetails(key.spec).type === 'symmetric' ? { CurrentKeyMaterialId: currentMaterial(key).id } : {}),
    ...(key.deletionAt === undefined ? {} : { DeletionDate: key.deletionAt / 1000 }),
  };
}

/** Describes a key's kind in the members that DescribeKey and GetPublicKey share. */
export function describeKind({ spec, usage }: Pick<Key, 'spec' | 'usage'>): object {
  return {
    KeySpec: spec,
    // CustomerMasterKeySpec is the older name, whose values end with the kinds that existed when it was given up.
    ...(isLegacySpec(spec) ? { CustomerMasterKeySpec: spec } : {}),
    KeyUsage: usage,
    [ALGORITHMS_MEMBER[usage]]: algorithmsOf(spec, usage),
  };
}

function isLegacySpec(spec: KeySpec): boolean {
  return Object.hasOwn(KEY_SPECS, spec) && !/^(?:ML_|ECC_NIST_EDWARDS)/.test(spec);
}
