import type { PoolKey, PoolKeyChange } from '../../../../shared/api/pool-keys.ts';
import { parseInput } from '../../../../shared/aws-json/index.ts';
import {
  assertDeletionDays,
  keySchema,
  readTags,
  scheduleDeletionSchema,
  tagResourceSchema,
  untagResourceSchema,
  updateDescriptionSchema,
} from '../../../../shared/kms/index.ts';
import { arnOf, findPoolKey, type KmsContext, type KmsResult } from '../context.ts';
import type { PoolKnown } from '../known-keys.ts';

const USUAL_DELETION_DAYS = 30;

/** Source: AWS KMS API Reference, "UpdateKeyDescription". */
export async function updateKeyDescription(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { KeyId: name, Description: description } = parseInput(updateDescriptionSchema, value);
  return done(await changeKey(context, name, { change: 'describe', description }));
}

/** Source: AWS KMS API Reference, "EnableKey". */
export async function enableKey(context: KmsContext, value: unknown): Promise<KmsResult> {
  return done(await changeKey(context, parseInput(keySchema, value).KeyId, { change: 'enable' }));
}

/** Source: AWS KMS API Reference, "DisableKey". */
export async function disableKey(context: KmsContext, value: unknown): Promise<KmsResult> {
  return done(await changeKey(context, parseInput(keySchema, value).KeyId, { change: 'disable' }));
}

/** Source: AWS KMS API Reference, "TagResource". */
export async function tagResource(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { KeyId: name, Tags: list } = parseInput(tagResourceSchema, value);
  const tags = Object.entries(readTags(list)).map(([key, tag]) => ({ key, value: tag }));
  if (tags.length === 0) return {};
  return done(await changeKey(context, name, { change: 'tag', tags }));
}

/** Source: AWS KMS API Reference, "UntagResource". */
export async function untagResource(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { KeyId: name, TagKeys: keys } = parseInput(untagResourceSchema, value);
  if (keys.length === 0) return {};
  return done(await changeKey(context, name, { change: 'untag', keys: [...new Set(keys)] }));
}

/** Source: AWS KMS API Reference, "ScheduleKeyDeletion". The pool may ask for more days. */
export async function scheduleKeyDeletion(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { KeyId: name, PendingWindowInDays: days = USUAL_DELETION_DAYS } = parseInput(
    scheduleDeletionSchema,
    value,
  );
  assertDeletionDays(days);
  const { known, key } = await changeKey(context, name, { change: 'schedule-deletion', days });
  const output = {
    KeyId: arnOf(known, context.scope),
    DeletionDate: (key.deletionTime ?? 0) / 1000,
    KeyState: 'PendingDeletion',
    PendingWindowInDays: days,
  };
  return { output, key: known.id };
}

/** Source: AWS KMS API Reference, "CancelKeyDeletion". The key is disabled afterwards. */
export async function cancelKeyDeletion(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { known } = await changeKey(context, parseInput(keySchema, value).KeyId, {
    change: 'cancel-deletion',
  });
  return { output: { KeyId: arnOf(known, context.scope) }, key: known.id };
}

async function changeKey(
  context: KmsContext,
  name: string,
  change: PoolKeyChange,
): Promise<{ readonly known: PoolKnown; readonly key: PoolKey }> {
  const known = await findPoolKey(context, name);
  const { key } = await context.ask(() => known.node.pools.change(known.id, change), false);
  context.keys.forget();
  return { known, key };
}

function done({ known }: { readonly known: PoolKnown }): KmsResult {
  return { key: known.id };
}
