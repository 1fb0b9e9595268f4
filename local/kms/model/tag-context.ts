import type { Tags } from '../../../shared/kms/index.ts';
import type { ConditionKeys } from './authorize.ts';

/** Condition keys of a request that carries tags, or names some by key. */
export function tagContext(tags: Tags, keys = Object.keys(tags)): ConditionKeys {
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': keys.length === 0 ? undefined : keys,
  };
}
