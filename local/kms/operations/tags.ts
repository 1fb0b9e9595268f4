import { z } from 'zod';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { assertNotPendingDeletion } from '../model/usable-key.ts';
import type { KmsContext } from '../model/context.ts';
import { paginate } from '../model/pages.ts';
import { keySchema, pageSchema, tagsSchema } from '../model/schemas.ts';
import { mergeTags, readTags, tagContext } from '../model/tags.ts';
import { findAllowed } from './find-key.ts';

const tagSchema = keySchema.extend({ Tags: tagsSchema });
const untagSchema = keySchema.extend({ TagKeys: z.array(z.string().min(1).max(128)) });
const listSchema = keySchema.extend(pageSchema.shape);

/** Source: AWS KMS API Reference, "TagResource". */
export function tagResource(kms: KmsContext, request: AuthenticatedRequest): void {
  const input = parseInput(tagSchema, request.input);
  const tags = readTags(input.Tags);
  const key = findAllowed(kms, request, input.KeyId, { keys: tagContext(tags) });
  assertNotPendingDeletion(key);
  kms.keys.save({ ...key, tags: mergeTags(key.tags, tags) });
}

/** Source: AWS KMS API Reference, "UntagResource". */
export function untagResource(kms: KmsContext, request: AuthenticatedRequest): void {
  const { KeyId: named, TagKeys: removed } = parseInput(untagSchema, request.input);
  const key = findAllowed(kms, request, named, { keys: tagContext({}, removed) });
  assertNotPendingDeletion(key);
  const tags = Object.fromEntries(Object.entries(key.tags).filter(([name]) => !removed.includes(name)));
  kms.keys.save({ ...key, tags });
}

/** Source: AWS KMS API Reference, "ListResourceTags". */
export function listResourceTags(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(listSchema, request.input);
  const { tags } = findAllowed(kms, request, input.KeyId);
  const { items, rest } = paginate(Object.entries(tags), ([name]) => name, input, { usual: 50, most: 50 });
  return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...rest };
}
