import {
  buildRequestContext,
  evaluateIdentityPolicies,
  type IdentityPolicy,
} from '../../../attestation/key-policy/index.ts';
import { partitionOf } from '../../../shared/aws/partitions.ts';
import type { KmsValidator } from '../description.ts';
import { bareId, keysOf } from '../keys.ts';
import { makesKeys } from '../render/iam-policy.ts';
import type { Report } from './finding.ts';

/** Request of Canton, as AWS's policies see it. */
interface Request {
  readonly action: string;
  readonly context: readonly (readonly [string, string | readonly string[]])[];
  /** True where the resource is the key; CreateKey has none. */
  readonly isOfKey: boolean;
}

const SIGN = [
  ['kms:SigningAlgorithm', 'ECDSA_SHA_256'],
  ['kms:MessageType', 'RAW'],
] as const;
const TAG = [
  ['aws:RequestTag/CreatedBy', 'Canton'],
  ['aws:TagKeys', ['CreatedBy']],
] as const;
/** Actions that no participant needs: with them its role is the administrator of its keys, or hands them on. */
const NEVER = [
  'kms:PutKeyPolicy',
  'kms:CreateGrant',
  'kms:DisableKey',
  'kms:ReplicateKey',
  'kms:UpdateAlias',
  'kms:ReEncryptFrom',
  'kms:ImportKeyMaterial',
];

/** Judges the policies of a participant's role by the requests that Canton sends, and some that it never does. */
export function checkIamPolicies(
  validator: KmsValidator,
  policies: readonly IdentityPolicy[],
  report: Report,
): void {
  const path = validator.serviceAccount.roleArn ?? 'the policy';
  const { provider } = validator;
  const prefix = `arn:${partitionOf(provider.region)?.id ?? 'aws'}:kms:${provider.region}:${provider.account}:key/`;
  const named = keysOf(validator).map(({ key }) => `${prefix}${bareId(key.id)}`);
  const made = `${prefix}00000000-0000-4000-8000-000000000000`;
  const decide = (action: string, resource: string, context: Request['context']) =>
    evaluateIdentityPolicies(policies, {
      action,
      resource,
      context: buildRequestContext([
        ['aws:ResourceTag/CreatedBy', resource === made ? 'Canton' : undefined],
        ...context,
      ]),
    });
  const missing = new Set<string>();
  for (const { action, context, isOfKey } of requestsOf(validator)) {
    const resources = isOfKey ? [...named, ...(makesKeys(validator) ? [made] : [])] : ['*'];
    if (resources.some((resource) => decide(action, resource, context) !== 'allow')) missing.add(action);
  }
  for (const action of missing)
    report(
      'IAM_PERMISSION_MISSING',
      'error',
      path,
      `${action} is not allowed as Canton asks for it`,
      action === 'kms:ScheduleKeyDeletion'
        ? "Add it: Canton's own list of permissions lacks it; the row of a key is gone from the database before the call fails."
        : 'Attach iam-policy.json of canton render.',
    );
  const excessive = NEVER.filter((action) => decide(action, named[0] ?? made, []) === 'allow');
  if (excessive.length > 0)
    report(
      'IAM_PERMISSION_EXCESSIVE',
      'warning',
      path,
      `allows ${excessive.join(', ')}, which Canton never asks for`,
      'Attach iam-policy.json of canton render instead.',
    );
}

function requestsOf(validator: KmsValidator): Request[] {
  const { mode, provider, mayDeleteKeys } = validator;
  const of = (action: string, context: Request['context'] = []) => ({ action, context, isOfKey: true });
  const multiRegion = String(provider.type === 'aws' && provider.multiRegion);
  const create = (usage: string, spec: string): Request[] => [
    {
      action: 'kms:CreateKey',
      isOfKey: false,
      context: [...TAG, ['kms:KeyUsage', usage], ['kms:KeySpec', spec], ['kms:MultiRegion', multiRegion]],
    },
    of('kms:TagResource', TAG),
  ];
  const symmetric = [['kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT']] as const;
  if (mode === 'envelope') {
    return [
      ...(makesKeys(validator) ? create('ENCRYPT_DECRYPT', 'SYMMETRIC_DEFAULT') : []),
      of('kms:DescribeKey'),
      of('kms:Encrypt', symmetric),
      of('kms:Decrypt', symmetric),
    ];
  }
  return [
    ...(makesKeys(validator)
      ? [...create('SIGN_VERIFY', 'ECC_NIST_P256'), ...create('ENCRYPT_DECRYPT', 'RSA_2048')]
      : []),
    ...(makesKeys(validator) ? [of('kms:DescribeKey')] : []),
    of('kms:GetPublicKey'),
    of('kms:Sign', SIGN),
    of('kms:Decrypt', [['kms:EncryptionAlgorithm', 'RSAES_OAEP_SHA_256']]),
    ...(mayDeleteKeys
      ? [of('kms:ScheduleKeyDeletion', [['kms:ScheduleKeyDeletionPendingWindowInDays', '7']])]
      : []),
  ];
}
