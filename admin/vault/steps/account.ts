import { askAws } from '../../aws/index.ts';
import { describeRole } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';

/**
 * Asserts that the credentials are those of the account that vault.yaml names for the role: in another account a stack of
 * the same name would be another stack.
 *
 * @throws StepError VAULT_OTHER_ACCOUNT; AdminError AWS_…
 */
export async function assertOwnAccount(context: StepContext): Promise<void> {
  const { account, region } = describeRole(context.vault, context.role);
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = await context.aws.sts(region);
  const { Account: actual } = await askAws(
    'sts:GetCallerIdentity',
    client.send(new GetCallerIdentityCommand({}), { abortSignal: context.signal }),
  );
  if (actual === account) return;
  throw new StepError('VAULT_OTHER_ACCOUNT', 'the AWS credentials are those of another account', {
    role: context.role,
    expected: account,
    actual,
  });
}
