import { parseKeyPolicy } from './document.ts';

/** A key that a policy may belong to, and in words the assumption behind it. */
export interface AssumedKey {
  readonly keyArn: string;
  readonly assumed: string;
}

const KEY_ARN = /^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key\/[a-zA-Z0-9-]+$/;

/**
 * Assumes the key of a policy whose key the caller does not know: the key that it names as Resource, or else a key in
 * the account of the first principal. Undefined where its Resources tell keys apart, by several names or by a pattern:
 * what is closed for one key may be open for another.
 *
 * @param policy the JSON of the policy, at most 32,768 bytes
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_UNRESOLVED
 */
export function assumeKey(policy: string): AssumedKey | undefined {
  const { statements } = parseKeyPolicy(policy);
  const all = new Set(statements.flatMap(({ resources }) => resources.entries));
  all.delete('*');
  const [named] = all;
  if (named !== undefined && (all.size > 1 || !KEY_ARN.test(named))) return undefined;
  if (named !== undefined) return { keyArn: named, assumed: `the key is ${named}, which a Resource names` };
  const accounts = statements.flatMap(({ principals }) =>
    principals.entries.flatMap((entry) => ('accountId' in entry ? [entry] : [])),
  );
  const [first] = accounts;
  const accountId = first?.accountId ?? '000000000000';
  const [, partition = 'aws'] = first !== undefined && 'arn' in first ? first.arn.split(':') : [];
  const whose = first === undefined ? 'of which no principal is named' : 'that of the first principal named';
  return {
    keyArn: `arn:${partition}:kms::${accountId}:key/00000000-0000-0000-0000-000000000000`,
    assumed: `the key is in account ${accountId} of partition ${partition}, ${whose}, and its id is of no Resource`,
  };
}
