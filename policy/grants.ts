import type { Algorithm, PayloadKind } from '../shared/algorithms.ts';
import type { Operation } from '../shared/operations.ts';
import { listRules, type Policy } from './policy.ts';

/** What permits name, all of them together. */
export interface GrantedNames {
  readonly operations: Operation[];
  readonly algorithms: Algorithm[];
  readonly payloads: PayloadKind[];
}

/** Lists what the permits that name a client and a key, or a pool, name beside them. Their conditions are not looked at. */
export function listGrants({ clients, permits }: Policy, clientId: string, key: string): GrantedNames {
  const client = clients.get(clientId);
  const rules = client === undefined ? [] : listRules(permits, client, key);
  return {
    operations: [...new Set(rules.flatMap((rule) => [...rule.operations]))],
    algorithms: [...new Set(rules.flatMap((rule) => [...rule.algorithms]))],
    payloads: [...new Set(rules.flatMap((rule) => [...rule.payloads]))],
  };
}
