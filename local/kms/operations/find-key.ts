import type { AuthenticatedRequest } from '../../aws/plumbing.ts';
import { authorizeKey, type RequestFacts } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import type { Key } from '../model/key-store.ts';

/** Finds the key that an operation on keys is about, by id or ARN, when the caller may do it. */
export function findAllowed(
  kms: KmsContext,
  request: AuthenticatedRequest,
  name: string,
  facts: RequestFacts = {},
): Key {
  const key = kms.keys.resolve(name, scopeOf(request));
  authorizeKey(kms, request, key, { ...facts, named: name });
  return key;
}
