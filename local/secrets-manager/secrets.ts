import { z } from 'zod';
import { KeyPolicyError, parseKeyPolicy, type KeyPolicy } from '../../attestation/key-policy/index.ts';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../aws/plumbing.ts';
import { findSecret } from './operations.ts';
import type { SecretStore } from './secret-store.ts';

const idSchema = z.object({ SecretId: z.string().min(1).max(2048) });
const deleteSchema = idSchema.extend({
  ForceDeleteWithoutRecovery: optional(z.boolean()),
  RecoveryWindowInDays: optional(z.int().min(7).max(30)),
});
const updateSchema = idSchema.extend({
  Description: optional(z.string().max(2048)),
  KmsKeyId: optional(z.string().max(2048)),
});
const policySchema = idSchema.extend({
  ResourcePolicy: z.string().min(1).max(20_480),
  BlockPublicPolicy: optional(z.boolean()),
});

/**
 * Source: AWS Secrets Manager API Reference, "DeleteSecret". There are no recovery windows here: a deletion that asks for
 * one is refused rather than carried out at once.
 */
export function deleteSecret(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(deleteSchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  if (input.ForceDeleteWithoutRecovery !== true) {
    throw new AwsServiceError('InvalidRequestException', 'This stand-in deletes without recovery alone');
  }
  secrets.delete(secret);
  return { ARN: secret.arn, Name: secret.name, DeletionDate: request.now / 1000 };
}

/** Source: AWS Secrets Manager API Reference, "UpdateSecret", without a new value. */
export function updateSecret(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(updateSchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  const { arn, name } = secrets.save({
    ...secret,
    description: input.Description ?? secret.description,
    kmsKeyId: input.KmsKeyId ?? secret.kmsKeyId,
    changedAt: request.now,
  });
  return { ARN: arn, Name: name };
}

/** Source: AWS Secrets Manager API Reference, "PutResourcePolicy". */
export function putResourcePolicy(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(policySchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  const policy = readPolicy(input.ResourcePolicy);
  const isPublic = policy.statements.some(
    ({ effect, principals, conditions }) =>
      effect === 'Allow' &&
      conditions.length === 0 &&
      (principals.negated || principals.entries.some(({ kind }) => kind === 'any')),
  );
  if (isPublic && input.BlockPublicPolicy === true) {
    throw new AwsServiceError(
      'PublicPolicyException',
      'The resource policy grants broad access to the secret.',
    );
  }
  secrets.save({ ...secret, policy: input.ResourcePolicy });
  return { ARN: secret.arn, Name: secret.name };
}

function readPolicy(text: string): KeyPolicy {
  try {
    return parseKeyPolicy(text);
  } catch (error) {
    if (!(error instanceof KeyPolicyError)) throw error;
    throw new AwsServiceError(
      'MalformedPolicyDocumentException',
      `This resource policy is malformed: ${error.message}`,
    );
  }
}

/** Source: AWS Secrets Manager API Reference, "GetResourcePolicy". */
export function getResourcePolicy(secrets: SecretStore, request: AuthenticatedRequest): object {
  const { arn, name, policy } = findSecret(secrets, request, parseInput(idSchema, request.input).SecretId);
  return { ARN: arn, Name: name, ResourcePolicy: policy };
}

/** Source: AWS Secrets Manager API Reference, "DeleteResourcePolicy". */
export function deleteResourcePolicy(secrets: SecretStore, request: AuthenticatedRequest): object {
  const { policy: _policy, ...secret } = findSecret(
    secrets,
    request,
    parseInput(idSchema, request.input).SecretId,
  );
  secrets.save(secret);
  return { ARN: secret.arn, Name: secret.name };
}
