import { AwsServiceError } from '../../aws/plumbing.ts';
import { NOT_UPDATABLE } from '../stacks/failure.ts';
import type { Made } from '../stacks/stack-record.ts';
import type { TemplateObject } from '../template/value.ts';
import { providerOf } from './facts.ts';
import type { CurrentResource, ResourceContext, ResourceProvider } from './provider.ts';
import { documentOf, flagOf, isRefusal, neededText, numberOf, tagsOf, textOf } from './values.ts';

/** Properties that a key has for its life; an update with others fails, so that it cannot delete a key by replacing it. */
const FIXED = ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'];

/** `AWS::KMS::Key`. Its policy is put where the property is another one, and at no other time. */
const key: ResourceProvider = providerOf('AWS::KMS::Key', {
  async create(context) {
    const { properties } = context;
    const policy = documentOf(properties, 'KeyPolicy');
    const bypass = flagOf(properties, 'BypassPolicyLockoutSafetyCheck');
    const made = context.isRepeated ? await findMadeKey(context) : undefined;
    const keyId =
      made ??
      readKeyId(
        await context.call('kms', 'CreateKey', {
          Description: textOf(properties, 'Description') ?? '',
          KeySpec: textOf(properties, 'KeySpec'),
          KeyUsage: textOf(properties, 'KeyUsage'),
          Origin: textOf(properties, 'Origin'),
          MultiRegion: flagOf(properties, 'MultiRegion'),
          BypassPolicyLockoutSafetyCheck: bypass,
          Tags: listTags(context, properties),
          ...(policy === undefined ? {} : { Policy: policy }),
        }),
      );
    await setRotation(context, keyId, undefined);
    if (flagOf(properties, 'Enabled') === false) await context.call('kms', 'DisableKey', { KeyId: keyId });
    return describe(context, keyId);
  },
  async update(context, { made, properties: before }) {
    const { properties } = context;
    const { physicalId: keyId } = made;
    const fixed = FIXED.find((name) => textOf(properties, name) !== textOf(before, name));
    if (fixed !== undefined) {
      throw new AwsServiceError(
        NOT_UPDATABLE,
        `You cannot change the KeySpec, KeyUsage, Origin, or MultiRegion properties of a KMS key that already exists (${fixed}).`,
      );
    }
    const policy = documentOf(properties, 'KeyPolicy');
    if (policy !== undefined && policy !== documentOf(before, 'KeyPolicy')) {
      await context.call('kms', 'PutKeyPolicy', {
        KeyId: keyId,
        PolicyName: 'default',
        Policy: policy,
        BypassPolicyLockoutSafetyCheck: flagOf(properties, 'BypassPolicyLockoutSafetyCheck'),
      });
    }
    const description = textOf(properties, 'Description') ?? '';
    if (description !== (textOf(before, 'Description') ?? '')) {
      await context.call('kms', 'UpdateKeyDescription', { KeyId: keyId, Description: description });
    }
    await setRotation(context, keyId, before);
    const enabled = flagOf(properties, 'Enabled') ?? true;
    if (enabled !== (flagOf(before, 'Enabled') ?? true)) {
      await context.call('kms', enabled ? 'EnableKey' : 'DisableKey', { KeyId: keyId });
    }
    await setTags(context, keyId, before);
    return describe(context, keyId);
  },
  async delete(context, { made, properties }) {
    try {
      await context.call('kms', 'ScheduleKeyDeletion', {
        KeyId: made.physicalId,
        PendingWindowInDays: numberOf(properties, 'PendingWindowInDays') ?? 30,
      });
    } catch (error) {
      if (!isRefusal(error, 'NotFoundException', 'KMSInvalidStateException')) throw error;
    }
  },
});

function readKeyId({ KeyMetadata: metadata }: Readonly<Record<string, unknown>>): string {
  return (metadata as { readonly KeyId: string }).KeyId;
}

/** Key that a step has made before a crash: it has the tags of this resource. */
async function findMadeKey(context: ResourceContext): Promise<string | undefined> {
  // Whoever may not look makes another key, as a second request to AWS would.
  const listed = await context.call('kms', 'ListKeys', { Limit: 1000 }).catch(() => ({ Keys: [] }));
  const keys = listed['Keys'] as readonly { readonly KeyId: string }[];
  const wanted = ['aws:cloudformation:stack-id', 'aws:cloudformation:logical-id'];
  for (const { KeyId: id } of keys) {
    const found = await context.call('kms', 'ListResourceTags', { KeyId: id }).catch(() => ({ Tags: [] }));
    const own = found['Tags'] as readonly { readonly TagKey: string; readonly TagValue: string }[];
    const isOurs = wanted.every((name) =>
      own.some(({ TagKey, TagValue }) => TagKey === name && TagValue === context.tags[name]),
    );
    if (isOurs) return id;
  }
  return undefined;
}

async function setRotation(
  context: ResourceContext,
  keyId: string,
  before: TemplateObject | undefined,
): Promise<void> {
  const { properties } = context;
  const rotates = flagOf(properties, 'EnableKeyRotation') ?? false;
  const days = numberOf(properties, 'RotationPeriodInDays');
  const rotated = before === undefined ? false : (flagOf(before, 'EnableKeyRotation') ?? false);
  const sameDays = before === undefined || numberOf(before, 'RotationPeriodInDays') === days;
  if (rotates === rotated && sameDays) return;
  await context.call('kms', rotates ? 'EnableKeyRotation' : 'DisableKeyRotation', {
    KeyId: keyId,
    ...(rotates && days !== undefined ? { RotationPeriodInDays: days } : {}),
  });
}

function listTags(
  { tags }: ResourceContext,
  properties: TemplateObject,
): { TagKey: string; TagValue: string }[] {
  return Object.entries(tagsOf(properties, tags)).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

async function setTags(context: ResourceContext, keyId: string, before: TemplateObject): Promise<void> {
  const wanted = tagsOf(context.properties, context.tags);
  const gone = Object.keys(tagsOf(before, {})).filter((name) => !Object.hasOwn(wanted, name));
  const tags = listTags(context, context.properties).filter(({ TagKey }) => !TagKey.startsWith('aws:'));
  if (tags.length > 0) await context.call('kms', 'TagResource', { KeyId: keyId, Tags: tags });
  if (gone.length > 0) await context.call('kms', 'UntagResource', { KeyId: keyId, TagKeys: gone });
}

function describe({ place }: ResourceContext, keyId: string): Made {
  const arn = `arn:aws:kms:${place.region}:${place.accountId}:key/${keyId}`;
  return { physicalId: keyId, reference: keyId, attributes: { Arn: arn, KeyId: keyId } };
}

/** `AWS::KMS::Alias`. */
const alias: ResourceProvider = providerOf('AWS::KMS::Alias', {
  async create(context) {
    const name = neededText(context.properties, 'AliasName');
    const target = neededText(context.properties, 'TargetKeyId');
    try {
      await context.call('kms', 'CreateAlias', { AliasName: name, TargetKeyId: target });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'AlreadyExistsException')) throw error;
    }
    return { physicalId: name, reference: name, attributes: {} };
  },
  async update(context, { made }) {
    await context.call('kms', 'UpdateAlias', {
      AliasName: made.physicalId,
      TargetKeyId: neededText(context.properties, 'TargetKeyId'),
    });
    return made;
  },
  async delete(context, { made }: CurrentResource) {
    try {
      await context.call('kms', 'DeleteAlias', { AliasName: made.physicalId });
    } catch (error) {
      if (!isRefusal(error, 'NotFoundException')) throw error;
    }
  },
});

/** Providers of AWS KMS. */
export const KMS_PROVIDERS = { 'AWS::KMS::Key': key, 'AWS::KMS::Alias': alias };
