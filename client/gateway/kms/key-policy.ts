import type { Operation } from '../../../shared/operations.ts';
import { partitionOf } from '../../../shared/aws/partitions.ts';
import type { KmsContext } from './context.ts';
import type { KnownKey } from './known-keys.ts';

/** KMS's actions that an operation of the node's rules stands for. */
const ACTIONS: Readonly<Partial<Record<Operation, readonly string[]>>> = {
  sign: ['kms:Sign'],
  encrypt: ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptTo'],
  decrypt: ['kms:Decrypt', 'kms:ReEncryptFrom'],
  mac: ['kms:GenerateMac', 'kms:VerifyMac'],
  'derive-secret': ['kms:DeriveSharedSecret'],
  'administer-key': [
    'kms:CancelKeyDeletion',
    'kms:CreateAlias',
    'kms:DeleteAlias',
    'kms:DisableKey',
    'kms:EnableKey',
    'kms:ScheduleKeyDeletion',
    'kms:TagResource',
    'kms:UntagResource',
    'kms:UpdateAlias',
    'kms:UpdateKeyDescription',
  ],
};
const READING = [
  'kms:DescribeKey',
  'kms:GetKeyPolicy',
  'kms:GetPublicKey',
  'kms:ListResourceTags',
  'kms:Verify',
];

/**
 * Renders what the node's configuration permits the client on a key as a key policy. Conditions of the rules beyond
 * actions (amounts, approvals, rates) have no form in one: the enclave decides, and this text is to be read alone.
 */
export function renderKeyPolicy({ grants, usage }: KnownKey, { scope, client }: KmsContext): string {
  const partition = partitionOf(scope.region)?.id ?? 'aws';
  const operations = grants?.operations ?? [];
  const actions = operations
    .filter((operation) => operation !== 'sign' || usage === 'sign')
    .flatMap((operation) => ACTIONS[operation] ?? []);
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'holdfast-configuration',
    Statement: [
      {
        Sid: 'WhatTheConfigurationPermits',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${scope.accountId}:user/${client}` },
        Action: [...new Set([...READING, ...actions])].toSorted(),
        Resource: '*',
      },
    ],
  });
}
