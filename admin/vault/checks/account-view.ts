import type { CloudFormationClient, ListStacksCommandOutput } from '@aws-sdk/client-cloudformation';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { STSClient } from '@aws-sdk/client-sts';
import { askAws } from '../../aws/index.ts';
import type { AccountView } from './account.ts';

/** Pages of deleted stacks that are read at most, of a hundred each. */
const MAX_PAGES = 20;

/** Clients with the credentials of one role, in the Region of its stacks. */
export interface ViewClients {
  readonly sts: Pick<STSClient, 'send'>;
  readonly cloudFormation: Pick<CloudFormationClient, 'send'>;
  readonly kms: Pick<KMSClient, 'send'>;
}

/** Looks at an account by operations that only read. Each throws AdminError AWS_…, INTERRUPTED. */
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
      if (stack === undefined) {
        const wasDeleted = await findDeleted(cloudFormation, name, abortSignal);
        return wasDeleted ? { status: 'DELETE_COMPLETE', parameters: {}, outputs: {} } : undefined;
      }
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

/** Whether a stack of a name was deleted: AWS lists such stacks for ninety days, and describes them by their id alone. */
async function findDeleted(
  cloudFormation: ViewClients['cloudFormation'],
  name: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const { ListStacksCommand } = await import('@aws-sdk/client-cloudformation');
  let next: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const command = new ListStacksCommand({ StackStatusFilter: ['DELETE_COMPLETE'], NextToken: next });
    const answer: ListStacksCommandOutput = await askAws(
      'cloudformation:ListStacks',
      cloudFormation.send(command, { abortSignal }),
    );
    if (answer.StackSummaries?.some(({ StackName: each }) => each === name) === true) return true;
    next = answer.NextToken;
    if (next === undefined) return false;
  }
  return false;
}

function toRecord<Item>(
  items: readonly Item[],
  entryOf: (item: Item) => readonly [string | undefined, string | undefined],
): Record<string, string> {
  return Object.fromEntries(items.map(entryOf).map(([name = '', value = '']) => [name, value] as const));
}
