import { evaluateKeyPolicy, KeyPolicyError, parseKeyPolicy } from '../../../attestation/key-policy/index.ts';
import { AwsServiceError, globalContext, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { Key } from './key-store.ts';

/** Quota of AWS for a key policy, in bytes. */
const MAX_POLICY = 32_768;

/**
 * Parses a new key policy, which must leave its writer able to write the next one.
 * @throws AwsServiceError LimitExceededException, MalformedPolicyDocumentException
 */
export function readPolicy(
  request: AuthenticatedRequest,
  text: string,
  { keyArn, bypass }: { readonly keyArn: string; readonly bypass: boolean },
): Key['policy'] {
  if (Buffer.byteLength(text) > MAX_POLICY) {
    throw new AwsServiceError('LimitExceededException', `The key policy is longer than ${MAX_POLICY} bytes.`);
  }
  const policy = parsePolicy(text);
  const verdict = evaluateKeyPolicy(policy, {
    action: 'kms:PutKeyPolicy',
    caller: request.credential.caller,
    keyArn,
    context: globalContext(request),
    identity: 'allow',
  });
  if (!bypass && verdict.decision === 'deny') {
    throw new AwsServiceError(
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    );
  }
  return policy;
}

function parsePolicy(text: string): Key['policy'] {
  try {
    return parseKeyPolicy(text);
  } catch (error) {
    if (!(error instanceof KeyPolicyError)) throw error;
    throw new AwsServiceError(
      'MalformedPolicyDocumentException',
      `${error.message} ${JSON.stringify(error.details)}`,
    );
  }
}

/** Policy that AWS gives a key made without one: everything is up to IAM. */
export function defaultPolicy(accountId: string, partition: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
}
