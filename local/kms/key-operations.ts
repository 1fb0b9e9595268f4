import { z } from 'zod';
import { evaluateKeyPolicy, KeyPolicyError, parseKeyPolicy } from '../../attestation/key-policy/index.ts';
import {
  AwsServiceError,
  globalContext,
  optional,
  parseInput,
  type AuthenticatedRequest,
} from '../aws/plumbing.ts';
import { scopeOf } from './admission.ts';
import { assertIdentityAllows, authorizeKey } from './authorize.ts';
import type { KmsContext } from './context.ts';
import { isKeySpec, KEY_SPECS, type KeySpec } from './key-spec.ts';
import type { Key } from './key-store.ts';

const DAY = 86_400_000;
const MAX_POLICY = 32_768;

const keyIdSchema = z.string().min(1).max(2048);
const keySchema = z.object({ KeyId: keyIdSchema });
const policyTextSchema = z.string().min(1).max(MAX_POLICY);
const policyNameSchema = optional(z.string()).transform((name) => name ?? 'default');
const createSchema = z.object({
  Policy: optional(policyTextSchema),
  Description: optional(z.string().max(8192)),
  KeyUsage: optional(z.string()),
  KeySpec: optional(z.string()),
  CustomerMasterKeySpec: optional(z.string()),
  Origin: optional(z.string()),
  MultiRegion: optional(z.boolean()),
  BypassPolicyLockoutSafetyCheck: optional(z.boolean()),
});
const getPolicySchema = keySchema.extend({ PolicyName: policyNameSchema });
const putPolicySchema = getPolicySchema.extend({
  Policy: policyTextSchema,
  BypassPolicyLockoutSafetyCheck: optional(z.boolean()),
});
const scheduleSchema = keySchema.extend({ PendingWindowInDays: optional(z.int().min(7).max(30)) });
const aliasSchema = z.object({
  AliasName: z.string().regex(/^alias\/[a-zA-Z0-9/_-]{1,250}$/),
  TargetKeyId: keyIdSchema,
});

/** Source: AWS KMS API Reference, "CreateKey". */
export function createKey(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(createSchema, request.input);
  const spec = specOf(input);
  assertIdentityAllows(request);
  const scope = scopeOf(request);
  const policyText = input.Policy ?? defaultPolicy(scope.accountId);
  const key = { description: input.Description ?? '', policyText, createdAt: request.now, spec };
  assertPolicy(request, policyText, {
    keyArn: `arn:aws:kms:${scope.region}:${scope.accountId}:key/new`,
    bypass: input.BypassPolicyLockoutSafetyCheck === true,
  });
  return { KeyMetadata: describe(kms.keys.create(scope, key)) };
}

/** Source: AWS KMS API Reference, "DescribeKey". */
export function describeKey(kms: KmsContext, request: AuthenticatedRequest): object {
  return { KeyMetadata: describe(findAllowed(kms, request, parseInput(keySchema, request.input).KeyId)) };
}

/** Source: AWS KMS API Reference, "ListKeys". */
export function listKeys(kms: KmsContext, request: AuthenticatedRequest): object {
  assertIdentityAllows(request);
  const keys = kms.keys.list(scopeOf(request)).map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn }));
  return { Keys: keys, Truncated: false };
}

/** Source: AWS KMS API Reference, "GetKeyPolicy". */
export function getKeyPolicy(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(getPolicySchema, request.input);
  const key = findAllowed(kms, request, input.KeyId);
  assertPolicyName(input.PolicyName);
  return { Policy: key.policyText, PolicyName: 'default' };
}

/** Source: AWS KMS API Reference, "PutKeyPolicy". */
export function putKeyPolicy(kms: KmsContext, request: AuthenticatedRequest): void {
  const input = parseInput(putPolicySchema, request.input);
  const key = findAllowed(kms, request, input.KeyId);
  assertPolicyName(input.PolicyName);
  if (key.state === 'PendingDeletion') throw invalidState(key);
  const bypass = input.BypassPolicyLockoutSafetyCheck === true;
  const policy = assertPolicy(request, input.Policy, { keyArn: key.arn, bypass });
  kms.keys.save({ ...key, policyText: input.Policy, policy });
}

/** Source: AWS KMS API Reference, "EnableKey". */
export function enableKey(kms: KmsContext, request: AuthenticatedRequest): void {
  setState(kms, request, 'Enabled');
}

/** Source: AWS KMS API Reference, "DisableKey". */
export function disableKey(kms: KmsContext, request: AuthenticatedRequest): void {
  setState(kms, request, 'Disabled');
}

/** Source: AWS KMS API Reference, "ScheduleKeyDeletion". The stand-in never deletes; the key only stops working. */
export function scheduleKeyDeletion(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(scheduleSchema, request.input);
  const days = input.PendingWindowInDays ?? 30;
  const key = findAllowed(kms, request, input.KeyId, {
    'kms:ScheduleKeyDeletionPendingWindowInDays': String(days),
  });
  if (key.state === 'PendingDeletion') throw invalidState(key);
  const deletionAt = request.now + days * DAY;
  kms.keys.save({ ...key, state: 'PendingDeletion', deletionAt });
  return {
    KeyId: key.arn,
    DeletionDate: deletionAt / 1000,
    KeyState: 'PendingDeletion',
    PendingWindowInDays: days,
  };
}

/** Source: AWS KMS API Reference, "CancelKeyDeletion". */
export function cancelKeyDeletion(kms: KmsContext, request: AuthenticatedRequest): object {
  const key = findAllowed(kms, request, parseInput(keySchema, request.input).KeyId);
  if (key.state !== 'PendingDeletion') throw invalidState(key);
  kms.keys.save({ ...key, state: 'Disabled', deletionAt: undefined });
  return { KeyId: key.arn };
}

/** Source: AWS KMS API Reference, "CreateAlias". */
export function createAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name, key } = findAliasTarget(kms, request);
  if (kms.keys.aliases(key).some((alias) => alias.name === name)) {
    throw new AwsServiceError('AlreadyExistsException', `An alias with the name ${name} already exists`);
  }
  kms.keys.setAlias(name, key);
}

/** Source: AWS KMS API Reference, "UpdateAlias". */
export function updateAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name, key } = findAliasTarget(kms, request);
  const existing = kms.keys.aliases(key).find((alias) => alias.name === name);
  if (existing === undefined) throw new AwsServiceError('NotFoundException', `Alias ${name} is not found.`);
  // Both keys have a say: the one that loses the alias, too.
  findAllowed(kms, request, existing.keyArn);
  kms.keys.setAlias(name, key);
}

/** Source: AWS KMS API Reference, "ListAliases". */
export function listAliases(kms: KmsContext, request: AuthenticatedRequest): object {
  assertIdentityAllows(request);
  const aliases = kms.keys.aliases(scopeOf(request)).map(({ name, arn, keyArn }) => ({
    AliasName: name,
    AliasArn: arn,
    TargetKeyId: keyArn.split('/').at(-1),
  }));
  return { Aliases: aliases, Truncated: false };
}

function findAliasTarget(kms: KmsContext, request: AuthenticatedRequest): { AliasName: string; key: Key } {
  const input = parseInput(aliasSchema, request.input);
  if (input.AliasName.startsWith('alias/aws/')) {
    throw new AwsServiceError('InvalidAliasNameException', 'alias/aws/ is kept for AWS');
  }
  return { AliasName: input.AliasName, key: findAllowed(kms, request, input.TargetKeyId) };
}

function setState(kms: KmsContext, request: AuthenticatedRequest, state: 'Enabled' | 'Disabled'): void {
  const key = findAllowed(kms, request, parseInput(keySchema, request.input).KeyId);
  if (key.state === 'PendingDeletion') throw invalidState(key);
  kms.keys.save({ ...key, state });
}

function findAllowed(
  kms: KmsContext,
  request: AuthenticatedRequest,
  name: string,
  keys: Readonly<Record<string, string>> = {},
): Key {
  const key = kms.keys.resolve(name, scopeOf(request));
  kms.assertAllowed(authorizeKey(request, key, { keys }), request);
  return key;
}

/** The policy has to parse, and to leave its writer able to write the next one. */
function assertPolicy(
  request: AuthenticatedRequest,
  text: string,
  { keyArn, bypass }: { keyArn: string; bypass: boolean },
): Key['policy'] {
  const policy = parsePolicy(text);
  const verdict = evaluateKeyPolicy(policy, {
    action: 'kms:PutKeyPolicy',
    caller: request.credential.caller,
    keyArn,
    context: globalContext(request),
    identity: 'allow',
  });
  if (!bypass && verdict.decision === 'deny') {
    throw new AwsServiceError(
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    );
  }
  return policy;
}

function parsePolicy(text: string): Key['policy'] {
  try {
    return parseKeyPolicy(text);
  } catch (error) {
    if (!(error instanceof KeyPolicyError)) throw error;
    throw new AwsServiceError(
      'MalformedPolicyDocumentException',
      `${error.message} ${JSON.stringify(error.details)}`,
    );
  }
}

function assertPolicyName(name: string): void {
  if (name !== 'default') throw new AwsServiceError('NotFoundException', 'No such policy exists');
}

function specOf(input: z.output<typeof createSchema>): KeySpec {
  const { KeyUsage: usage = 'ENCRYPT_DECRYPT', Origin: origin = 'AWS_KMS', MultiRegion = false } = input;
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (origin !== 'AWS_KMS' || MultiRegion || !isKeySpec(spec)) {
    throw new AwsServiceError(
      'UnsupportedOperationException',
      'The stand-in has keys of one region alone: symmetric ones, and those on NIST curves for signatures',
    );
  }
  if (usage !== KEY_SPECS[spec].usage) {
    throw new AwsServiceError(
      'ValidationException',
      `KeyUsage ${usage} is not compatible with KeySpec ${spec}`,
    );
  }
  return spec;
}

/** The policy that AWS gives a key made without one: everything is up to IAM. */
function defaultPolicy(accountId: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
}

function describe(key: Key): object {
  const details = KEY_SPECS[key.spec];
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: key.createdAt / 1000,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: details.usage,
    KeyState: key.state,
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...(details.usage === 'SIGN_VERIFY'
      ? { SigningAlgorithms: [details.algorithm] }
      : { EncryptionAlgorithms: [key.spec] }),
    MultiRegion: false,
    ...(key.deletionAt === undefined ? {} : { DeletionDate: key.deletionAt / 1000 }),
  };
}

function invalidState(key: Key): AwsServiceError {
  const state = key.state === 'PendingDeletion' ? 'pending deletion' : 'not pending deletion';
  return new AwsServiceError('KMSInvalidStateException', `${key.arn} is ${state}.`);
}
