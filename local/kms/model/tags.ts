import type { z } from 'zod';
import { AwsServiceError } from '../../aws/plumbing.ts';
import type { ConditionKeys } from './authorize.ts';
import type { tagsSchema } from './schemas.ts';

type TagList = z.output<typeof tagsSchema>;
export type Tags = Readonly<Record<string, string>>;

const MAX_TAGS = 50;

/**
 * Reads the tags of a request, by key. @throws AwsServiceError TagException for a key that is AWS's own, or comes twice
 */
export function readTags(list: TagList): Tags {
  const tags = Object.fromEntries(list.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
  if (Object.keys(tags).length !== list.length)
    throw new AwsServiceError('TagException', 'Duplicate tag key');
  const reserved = Object.keys(tags).find((key) => key.toLowerCase().startsWith('aws:'));
  if (reserved !== undefined) {
    throw new AwsServiceError('TagException', `Tag key ${reserved} begins with the reserved aws:`);
  }
  return tags;
}

/** Adds tags to a key's. @throws AwsServiceError LimitExceededException */
export function mergeTags(tags: Tags, added: Tags): Tags {
  const merged = { ...tags, ...added };
  if (Object.keys(merged).length > MAX_TAGS) {
    throw new AwsServiceError('LimitExceededException', `A key has at most ${MAX_TAGS} tags.`);
  }
  return merged;
}

/** Condition keys of a request that carries tags, or names some by key. */
export function tagContext(tags: Tags, keys = Object.keys(tags)): ConditionKeys {
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': keys.length === 0 ? undefined : keys,
  };
}
