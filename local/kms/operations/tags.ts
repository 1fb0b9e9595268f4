import {
  assertNotPendingDeletion,
  keyPageSchema,
  mergeTags,
  paginate,
  readTags,
  tagResourceSchema,
  untagResourceSchema,
} from '../../../shared/kms/index.ts';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { KmsContext } from '../model/context.ts';
import { tagContext } from '../model/tag-context.ts';
import { findAllowed } from './find-key.ts';

/** Source: AWS KMS API Reference, "TagResource". */
export function tagResource(kms: KmsContext, request: AuthenticatedRequest): void {
  const input = parseInput(tagResourceSchema, request.input);
  const tags = readTags(input.Tags);
  const key = findAllowed(kms, request, input.KeyId, { keys: tagContext(tags) });
  assertNotPendingDeletion(key);
  kms.keys.save({ ...key, tags: mergeTags(key.tags, tags) });
}

/** Source: AWS KMS API Reference, "UntagResource". */
export function untagResource(kms: KmsContext, request: AuthenticatedRequest): void {
  const { KeyId: named, TagKeys: removed } = parseInput(untagResourceSchema, request.input);
  const key = findAllowed(kms, request, named, { keys: tagContext({}, removed) });
  assertNotPendingDeletion(key);
  const tags = Object.fromEntries(Object.entries(key.tags).filter(([name]) => !removed.includes(name)));
  kms.keys.save({ ...key, tags });
}

/** Source: AWS KMS API Reference, "ListResourceTags". */
export function listResourceTags(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(keyPageSchema, request.input);
  const { tags } = findAllowed(kms, request, input.KeyId);
  const { items, rest } = paginate(Object.entries(tags), ([name]) => name, input, { usual: 50, most: 50 });
  return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...rest };
}
