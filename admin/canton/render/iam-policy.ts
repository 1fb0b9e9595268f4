import { partitionOf } from '../../../shared/aws/partitions.ts';
import type { KmsValidator } from '../description.ts';
import { keysOf } from '../keys.ts';

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Policy of IAM, as its JSON is. */
export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** Tag that Canton gives to each key that it makes. */
const CANTON_TAG = { StringEquals: { 'aws:RequestTag/CreatedBy': 'Canton' } };

/**
 * Renders the IAM policy of a participant that asks AWS KMS itself: the operations that Canton sends in the validator's
 * mode, and no others. Keys whose ids the description names are named; others are those that Canton has tagged.
 */
export function renderIamPolicy(validator: KmsValidator): IamPolicy {
  const { provider, mode, mayDeleteKeys } = validator;
  const isMultiRegion = provider.type === 'aws' && provider.multiRegion;
  return {
    Version: '2012-10-17',
    Statement: [
      ...(makesKeys(validator) ? renderMaking(validator, isMultiRegion) : []),
      ...(mode === 'keys' ? renderSigning(validator) : renderEnvelope(validator)),
      ...(mayDeleteKeys && mode === 'keys' ? renderDeletion(validator) : []),
      ...(isMultiRegion && makesKeys(validator) ? [renderServiceLinkedRole(partition(validator))] : []),
    ],
  };
}

/** Tells whether Canton makes keys itself: where the description names none that it would use. */
export function makesKeys({ mode, keys, wrapperKey, kind }: KmsValidator): boolean {
  if (mode === 'envelope') return wrapperKey === undefined;
  const needed = kind === 'splice' ? 3 : 4;
  return Object.keys(keys).length < needed;
}

function renderMaking(validator: KmsValidator, isMultiRegion: boolean): Statement[] {
  const envelope = validator.mode === 'envelope';
  const usages = envelope ? ['ENCRYPT_DECRYPT'] : ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'];
  const specs = envelope ? ['SYMMETRIC_DEFAULT'] : ['ECC_NIST_P256', 'RSA_2048'];
  return [
    {
      Sid: 'MakeKeys',
      Effect: 'Allow',
      Action: ['kms:CreateKey'],
      Resource: '*',
      Condition: {
        StringEquals: {
          ...CANTON_TAG.StringEquals,
          'kms:KeyUsage': usages,
          'kms:KeySpec': specs,
        },
        Bool: { 'kms:MultiRegion': String(isMultiRegion) },
      },
    },
    {
      // CreateKey with tags needs this, and Canton always sends one.
      Sid: 'TagNewKeys',
      Effect: 'Allow',
      Action: ['kms:TagResource'],
      Resource: anyKey(validator),
      Condition: {
        ...CANTON_TAG,
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['CreatedBy'] },
      },
    },
  ];
}

function renderSigning(validator: KmsValidator): Statement[] {
  return [
    ...use(validator, 'LookAtKeys', ['kms:DescribeKey', 'kms:GetPublicKey'], {}),
    ...use(validator, 'Sign', ['kms:Sign'], {
      StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'RAW' },
    }),
    ...use(validator, 'Decrypt', ['kms:Decrypt'], {
      StringEquals: { 'kms:EncryptionAlgorithm': 'RSAES_OAEP_SHA_256' },
    }),
  ];
}

function renderEnvelope(validator: KmsValidator): Statement[] {
  return [
    ...use(validator, 'LookAtKeys', ['kms:DescribeKey'], {}),
    ...use(validator, 'Wrap', ['kms:Decrypt', 'kms:Encrypt'], {
      StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' },
    }),
  ];
}

function renderDeletion(validator: KmsValidator): Statement[] {
  return use(validator, 'DeleteKeys', ['kms:ScheduleKeyDeletion'], {
    NumericGreaterThanEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '7' },
  });
}

/** Multi-Region keys: KMS makes a role of its own with the first of them. */
function renderServiceLinkedRole(partition: string): Statement {
  return {
    Sid: 'MakeMultiRegionRole',
    Effect: 'Allow',
    Action: ['iam:CreateServiceLinkedRole'],
    Resource: `arn:${partition}:iam::*:role/aws-service-role/mrk.kms.amazonaws.com/*`,
    Condition: { StringEquals: { 'iam:AWSServiceName': 'mrk.kms.amazonaws.com' } },
  };
}

/** Statements for the keys of one validator: those that are named, and those that Canton makes and tags. */
function use(
  validator: KmsValidator,
  sid: string,
  actions: readonly string[],
  condition: NonNullable<Statement['Condition']>,
): Statement[] {
  const named = keysOf(validator).map(({ key: { id } }) =>
    id.startsWith('arn:') ? id : `${prefix(validator)}:key/${id}`,
  );
  const own = {
    Sid: sid,
    Effect: 'Allow',
    Action: actions,
    Resource: named,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  } as const;
  if (!makesKeys(validator)) return [own];
  const equals = { ...condition['StringEquals'], 'aws:ResourceTag/CreatedBy': 'Canton' };
  const made = {
    ...own,
    Sid: `${sid}Made`,
    Resource: anyKey(validator),
    Condition: { ...condition, StringEquals: equals },
  };
  return named.length === 0 ? [made] : [own, made];
}

const anyKey = (validator: KmsValidator) => `${prefix(validator)}:key/*`;
const partition = ({ provider }: KmsValidator) => partitionOf(provider.region)?.id ?? 'aws';
const prefix = (validator: KmsValidator) =>
  `arn:${partition(validator)}:kms:${validator.provider.region}:${validator.provider.account}`;
