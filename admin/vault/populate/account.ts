import type { STSClient } from '@aws-sdk/client-sts';
import { askAws } from '../../aws/index.ts';
import type { PartitionDescription } from './catalogue.ts';
import { PopulateError } from './errors.ts';

/**
 * Asserts that the credentials are of the partition's account: secrets in another account are read by nobody.
 * @throws PopulateError POPULATE_ACCOUNT; AdminError AWS_…
 */
export async function assertAccount(
  client: Pick<STSClient, 'send'>,
  { partition, account: expected }: PartitionDescription,
  signal: AbortSignal,
): Promise<void> {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const { Account: account } = await askAws(
    'sts:GetCallerIdentity',
    client.send(new GetCallerIdentityCommand({}), { abortSignal: signal }),
  );
  if (account === expected) return;
  throw new PopulateError('POPULATE_ACCOUNT', 'the credentials are of another account than the partition', {
    partition,
    expected,
    account,
  });
}
