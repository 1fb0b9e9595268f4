import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { STSClient } from '@aws-sdk/client-sts';
import { askAws } from '../../aws/index.ts';
import type { AccountView } from './account.ts';

/** Clients with the credentials of one role, in the Region of its stacks. */
export interface ViewClients {
  readonly sts: Pick<STSClient, 'send'>;
  readonly cloudFormation: Pick<CloudFormationClient, 'send'>;
  readonly kms: Pick<KMSClient, 'send'>;
}

/** Looks at an account by three operations that only read. Each throws AdminError AWS_…, INTERRUPTED. */
export function createAccountView(
  { sts, cloudFormation, kms }: ViewClients,
  abortSignal: AbortSignal,
): AccountView {
  return {
    async callerIdentity() {
      const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
      const answer = sts.send(new GetCallerIdentityCommand({}), { abortSignal });
      const { Account: account = '', Arn: arn = '' } = await askAws('sts:GetCallerIdentity', answer);
      return { account, arn };
    },
    async describeStack(name) {
      const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
      const { Stacks: stacks = [] } = await askAws(
        'cloudformation:DescribeStacks',
        cloudFormation.send(new DescribeStacksCommand({ StackName: name }), { abortSignal }),
        // A stack that does not exist is a validation error, the only one that a well-formed name can have.
        { ValidationError: () => ({ $metadata: {}, Stacks: [] }) },
      );
      const [stack] = stacks;
      if (stack === undefined) return undefined;
      return {
        status: stack.StackStatus ?? '',
        parameters: toRecord(stack.Parameters ?? [], (one) => [one.ParameterKey, one.ParameterValue]),
        outputs: toRecord(stack.Outputs ?? [], (one) => [one.OutputKey, one.OutputValue]),
      };
    },
    async describeKey(arn) {
      const { DescribeKeyCommand } = await import('@aws-sdk/client-kms');
      const { KeyMetadata: key } = await askAws(
        'kms:DescribeKey',
        kms.send(new DescribeKeyCommand({ KeyId: arn }), { abortSignal }),
        { NotFoundException: () => ({ $metadata: {}, KeyMetadata: undefined }) },
      );
      if (key === undefined) return undefined;
      return {
        arn: key.Arn ?? '',
        state: key.KeyState ?? '',
        usage: key.KeyUsage ?? '',
        spec: key.KeySpec ?? '',
        origin: key.Origin ?? '',
        isMultiRegion: key.MultiRegion === true,
      };
    },
  };
}

function toRecord<Item>(
  items: readonly Item[],
  entryOf: (item: Item) => readonly [string | undefined, string | undefined],
): Record<string, string> {
  return Object.fromEntries(items.map(entryOf).map(([name = '', value = '']) => [name, value] as const));
}
