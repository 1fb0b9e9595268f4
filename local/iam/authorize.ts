import { KeyPolicyError, parseIdentityPolicy, parseTrustPolicy } from '../../attestation/key-policy/index.ts';
import { assertAllowed } from '../aws/authorization.ts';
import { AwsServiceError, parseInput, type AuthenticatedRequest } from '../aws/plumbing.ts';
import type { z } from 'zod';

/** Reads an operation's input. @throws AwsServiceError ValidationError */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  { input }: AuthenticatedRequest,
): z.output<Schema> {
  try {
    return parseInput(schema, input);
  } catch (error) {
    if (error instanceof AwsServiceError) throw new AwsServiceError('ValidationError', error.message);
    throw error;
  }
}

/** Asserts that the caller may do the request's operation with a thing of IAM. @throws AwsServiceError AccessDenied */
export function authorizeIam(
  request: AuthenticatedRequest,
  kind: 'role' | 'policy' | 'instance-profile',
  pathAndName: string,
  keys: Readonly<Record<string, string | undefined>> = {},
): void {
  const resource = pathAndName.startsWith('arn:')
    ? pathAndName
    : `arn:aws:iam::${request.credential.caller.accountId}:${kind}${pathAndName}`;
  assertAllowed(request, { action: `iam:${request.operation}`, resource, keys });
}

/** Asserts that a text is a policy of a kind. @throws AwsServiceError MalformedPolicyDocument */
export function assertPolicy(text: string, kind: 'identity' | 'trust'): void {
  try {
    if (kind === 'trust') parseTrustPolicy(text);
    else parseIdentityPolicy(text);
  } catch (error) {
    if (!(error instanceof KeyPolicyError)) throw error;
    throw new AwsServiceError(
      'MalformedPolicyDocument',
      `${error.message} (${JSON.stringify(error.details)})`,
    );
  }
}
