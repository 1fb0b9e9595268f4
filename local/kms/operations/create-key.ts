import { z } from 'zod';
import { partitionOf } from '../../../shared/aws/partitions.ts';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { assertIdentityAllows, keyKindContext } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import { describeMetadata } from '../model/describe-key.ts';
import { arnPrefix } from '../model/key-names.ts';
import { defaultPolicy, readPolicy } from '../model/key-policy-text.ts';
import {
  isKeySpec,
  KEY_SPEC_NAMES,
  KEY_USAGES,
  specDetails,
  type KeySpec,
  type KeyUsage,
} from '../model/key-spec.ts';
import { tagsSchema } from '../model/schemas.ts';
import { mergeTags, readTags, tagContext } from '../model/tags.ts';

const createSchema = z.object({
  Policy: optional(z.string().min(1).max(131_072)),
  Description: optional(z.string().max(8192)),
  KeyUsage: optional(z.enum(KEY_USAGES)),
  KeySpec: optional(z.enum([...KEY_SPEC_NAMES, 'SM2'])),
  CustomerMasterKeySpec: optional(z.enum([...KEY_SPEC_NAMES, 'SM2'])),
  Origin: optional(z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'])),
  MultiRegion: optional(z.boolean()),
  BypassPolicyLockoutSafetyCheck: optional(z.boolean()),
  Tags: optional(tagsSchema),
});

/** Source: AWS KMS API Reference, "CreateKey". */
export async function createKey(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(createSchema, request.input);
  const kind = kindOf(input);
  const tags = readTags(input.Tags ?? []);
  const bypass = input.BypassPolicyLockoutSafetyCheck === true;
  const keys = {
    ...keyKindContext(kind),
    ...tagContext(tags),
    'kms:BypassPolicyLockoutSafetyCheck': String(bypass),
  };
  assertIdentityAllows(request, { keys });
  if (input.Tags !== undefined && input.Tags.length > 0) {
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
    tags: mergeTags({}, tags),
  });
  return { KeyMetadata: describeMetadata(key) };
}

function kindOf(input: z.output<typeof createSchema>): { spec: KeySpec; usage: KeyUsage } {
  const { Origin: origin = 'AWS_KMS', MultiRegion: multiRegion = false } = input;
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw invalid('You cannot specify KeySpec and CustomerMasterKeySpec in the same request.');
  }
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (origin !== 'AWS_KMS' || multiRegion || !isKeySpec(spec)) {
    throw new AwsServiceError(
      'UnsupportedOperationException',
      'The stand-in has keys of one Region alone, made by itself, and no SM2',
    );
  }
  const { usages } = specDetails(spec);
  const usage = input.KeyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined);
  if (usage === undefined) {
    throw invalid('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  }
  if (!usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  return { spec, usage };
}

function invalid(message: string): AwsServiceError {
  return new AwsServiceError('ValidationException', message);
}
