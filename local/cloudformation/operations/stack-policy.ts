import {
  evaluateKeyPolicy,
  KeyPolicyError,
  parseKeyPolicy,
  type KeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import type { Change } from '../stacks/stack-record.ts';

/** Reads a stack policy. @throws AwsServiceError ValidationError */
export function parseStackPolicy(text: string): KeyPolicy {
  try {
    return parseKeyPolicy(text);
  } catch (error) {
    if (error instanceof KeyPolicyError)
      throw validationError(`Error validating stack policy: ${error.message}`);
    throw error;
  }
}

/**
 * Asserts that a stack's policy lets all changes of its resources pass. What has no policy may be changed; with one,
 * whatever it does not allow is denied. Source: CloudFormation User Guide, "Prevent updates to stack resources".
 * @throws AwsServiceError ValidationError
 */
export function assertPolicyAllows(policyText: string | undefined, changes: readonly Change[]): void {
  if (policyText === undefined) return;
  const policy = parseStackPolicy(policyText);
  for (const change of changes) {
    const denied = actionsOf(change).find((action) => !isAllowed(policy, action, change));
    if (denied === undefined) continue;
    throw new AwsServiceError(
      'ValidationError',
      `Action denied by stack policy: ${denied} on resource [${change.logicalId}]`,
    );
  }
}

function actionsOf({ action, replacement }: Change): string[] {
  if (action === 'Remove') return ['Update:Delete'];
  if (action === 'Add') return [];
  if (replacement === 'True') return ['Update:Replace'];
  return replacement === 'Conditional' ? ['Update:Modify', 'Update:Replace'] : ['Update:Modify'];
}

function isAllowed(policy: KeyPolicy, action: string, { logicalId, type }: Change): boolean {
  const account = '000000000000';
  const { decision } = evaluateKeyPolicy(policy, {
    action,
    caller: { type: 'user', accountId: account, arn: `arn:aws:iam::${account}:user/stack` },
    keyArn: `LogicalResourceId/${logicalId}`,
    context: new Map([['resourcetype', [type]]]),
    identity: 'allow',
  });
  return decision === 'allow';
}
