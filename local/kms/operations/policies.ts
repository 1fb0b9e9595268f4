import { z } from 'zod';
import { keyPageSchema, keyPolicySchema, paginate, policyNotFound } from '../../../shared/kms/index.ts';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { KmsContext } from '../model/context.ts';
import { readPolicy } from '../model/key-policy-text.ts';
import { findAllowed } from './find-key.ts';

/** Name of the only policy that a key has here. AWS has a second one, AWS_RAM, on keys that are shared through RAM. */
const DEFAULT = 'default';

const putPolicySchema = keyPolicySchema.extend({
  Policy: z.string().min(1).max(131_072),
  BypassPolicyLockoutSafetyCheck: optional(z.boolean()),
});

/** Source: AWS KMS API Reference, "GetKeyPolicy". */
export function getKeyPolicy(kms: KmsContext, request: AuthenticatedRequest): object {
  const { KeyId: named, PolicyName: name } = parseInput(keyPolicySchema, request.input);
  const key = findAllowed(kms, request, named, { keys: { 'kms:PolicyName': name } });
  if (name !== DEFAULT) throw policyNotFound();
  return { Policy: key.policyText, PolicyName: DEFAULT };
}

/** Source: AWS KMS API Reference, "PutKeyPolicy". Keys in every state take one. */
export function putKeyPolicy(kms: KmsContext, request: AuthenticatedRequest): void {
  const input = parseInput(putPolicySchema, request.input);
  const bypass = input.BypassPolicyLockoutSafetyCheck === true;
  const keys = {
    'kms:PolicyName': input.PolicyName,
    'kms:BypassPolicyLockoutSafetyCheck': String(bypass),
  };
  const key = findAllowed(kms, request, input.KeyId, { keys });
  if (input.PolicyName === 'AWS_RAM') {
    throw new AwsServiceError('ValidationException', 'The policy AWS_RAM is managed by AWS RAM.');
  }
  if (input.PolicyName !== DEFAULT) throw policyNotFound();
  const policy = readPolicy(request, input.Policy, { keyArn: key.arn, bypass });
  kms.keys.save({ ...key, policyText: input.Policy, policy });
}

/** Source: AWS KMS API Reference, "ListKeyPolicies". */
export function listKeyPolicies(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(keyPageSchema, request.input);
  findAllowed(kms, request, input.KeyId);
  const { items, rest } = paginate([DEFAULT], (name) => name, input, { usual: 100, most: 1000 });
  return { PolicyNames: items, ...rest };
}
