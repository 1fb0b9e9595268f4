import { partitionOf } from '../../../shared/aws/partitions.ts';
import { arnPrefix, createKeySchema, mergeTags, readKeyKind, readTags } from '../../../shared/kms/index.ts';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { assertIdentityAllows, keyKindContext } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import { defaultPolicy, readPolicy } from '../model/key-policy-text.ts';
import { showKey } from '../model/key-store.ts';
import { tagContext } from '../model/tag-context.ts';

/** Source: AWS KMS API Reference, "CreateKey". */
export async function createKey(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(createKeySchema, request.input);
  const kind = readKeyKind(input, 'made');
  // Tags of AWS's own are a service's to set, in nobody's name.
  const all = input.Tags ?? [];
  const isSystem = ({ TagKey: name }: { readonly TagKey: string }): boolean =>
    request.calledVia !== undefined && name.startsWith('aws:');
  const tags = readTags(all.filter((tag) => !isSystem(tag)));
  const systemTags = Object.fromEntries(
    all.filter(isSystem).map(({ TagKey, TagValue }) => [TagKey, TagValue]),
  );
  const bypass = input.BypassPolicyLockoutSafetyCheck === true;
  const keys = {
    ...keyKindContext(kind),
    ...tagContext(tags),
    'kms:BypassPolicyLockoutSafetyCheck': String(bypass),
  };
  assertIdentityAllows(request, { keys });
  if (Object.keys(tags).length > 0) {
    assertIdentityAllows(request, { action: 'TagResource', keys });
  }
  const scope = scopeOf(request);
  const { Description: description = '' } = input;
  const policyText = input.Policy ?? defaultPolicy(scope.accountId, partitionOf(scope.region)?.id ?? 'aws');
  readPolicy(request, policyText, { keyArn: `${arnPrefix(scope)}key/new`, bypass });
  const key = await kms.keys.create(scope, {
    description,
    policyText,
    createdAt: request.now,
    ...kind,
    tags: { ...mergeTags({}, tags), ...systemTags },
  });
  return { KeyMetadata: showKey(key) };
}
