import {
  assertDeletionDays,
  assertNotPendingDeletion,
  describeKeySchema,
  keySchema,
  pageSchema,
  paginate,
  scheduleDeletionSchema,
  updateDescriptionSchema,
} from '../../../shared/kms/index.ts';
import { AwsServiceError, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { assertGrantTokens } from '../model/usable-key.ts';
import { assertIdentityAllows, authorizeKey } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import { showKey } from '../model/key-store.ts';
import { findAllowed } from './find-key.ts';

const DAY = 86_400_000;

/** Source: AWS KMS API Reference, "DescribeKey". */
export function describeKey(kms: KmsContext, request: AuthenticatedRequest): object {
  const { KeyId: named, GrantTokens: tokens } = parseInput(describeKeySchema, request.input);
  const key = kms.aliases.resolveKey(named, scopeOf(request));
  assertGrantTokens(kms, tokens);
  authorizeKey(kms, request, key, { named });
  return { KeyMetadata: showKey(key) };
}

/** Source: AWS KMS API Reference, "ListKeys". */
export function listKeys(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(pageSchema, request.input);
  assertIdentityAllows(request);
  const keys = kms.keys.list(scopeOf(request));
  const { items, rest } = paginate(keys, ({ keyId }) => keyId, input, { usual: 100, most: 1000 });
  return { Keys: items.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })), ...rest };
}

/** Source: AWS KMS API Reference, "UpdateKeyDescription". */
export function updateKeyDescription(kms: KmsContext, request: AuthenticatedRequest): void {
  const { KeyId: named, Description: description } = parseInput(updateDescriptionSchema, request.input);
  const key = findAllowed(kms, request, named);
  assertNotPendingDeletion(key);
  kms.keys.save({ ...key, description });
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
  const input = parseInput(scheduleDeletionSchema, request.input);
  const days = input.PendingWindowInDays ?? 30;
  const keys = { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(days) };
  const key = findAllowed(kms, request, input.KeyId, { keys });
  assertDeletionDays(days);
  assertNotPendingDeletion(key);
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
  if (key.state !== 'PendingDeletion') {
    throw new AwsServiceError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
  }
  kms.keys.save({ ...key, state: 'Disabled', deletionAt: undefined });
  return { KeyId: key.arn };
}

function setState(kms: KmsContext, request: AuthenticatedRequest, state: 'Enabled' | 'Disabled'): void {
  const key = findAllowed(kms, request, parseInput(keySchema, request.input).KeyId);
  assertNotPendingDeletion(key);
  kms.keys.save({ ...key, state });
}
