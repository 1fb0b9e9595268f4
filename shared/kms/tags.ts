import { AwsServiceError } from '../aws-json/index.ts';
import type { TagList } from './schemas.ts';

/** Tags of a key: values by name. */
export type Tags = Readonly<Record<string, string>>;

const MAX_TAGS = 50;

/**
 * Reads the tags of a request. @throws AwsServiceError TagException for a name that is AWS's own, or comes twice
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
