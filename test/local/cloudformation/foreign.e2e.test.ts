import {
  ContinueUpdateRollbackCommand,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetStackPolicyCommand,
  GetTemplateCommand,
  GetTemplateSummaryCommand,
  ListChangeSetsCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  SetStackPolicyCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  type CloudFormationClient,
} from '@aws-sdk/client-cloudformation';
import { expect, it } from 'vitest';
import { personOf, refused, settled, startAws, type Who } from './cloud.ts';

const body = (DisplayName: string) =>
  JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName } } } });

type Send = (client: CloudFormationClient, StackName: string, ChangeSetName: string) => Promise<unknown>;

/** Every operation on a stack that is there. */
const OPERATIONS: Readonly<Record<string, Send>> = {
  continueUpdateRollback: (client, StackName) =>
    client.send(new ContinueUpdateRollbackCommand({ StackName })),
  createChangeSet: (client, StackName) =>
    client.send(
      new CreateChangeSetCommand({ StackName, ChangeSetName: 'other', TemplateBody: body('changed') }),
    ),
  deleteChangeSet: (client, StackName, ChangeSetName) =>
    client.send(new DeleteChangeSetCommand({ StackName, ChangeSetName })),
  deleteStack: (client, StackName) => client.send(new DeleteStackCommand({ StackName })),
  describeChangeSet: (client, StackName, ChangeSetName) =>
    client.send(new DescribeChangeSetCommand({ StackName, ChangeSetName })),
  describeStackEvents: (client, StackName) => client.send(new DescribeStackEventsCommand({ StackName })),
  describeStackResource: (client, StackName) =>
    client.send(new DescribeStackResourceCommand({ StackName, LogicalResourceId: 'Topic' })),
  describeStackResources: (client, StackName) =>
    client.send(new DescribeStackResourcesCommand({ StackName })),
  describeStacks: (client, StackName) => client.send(new DescribeStacksCommand({ StackName })),
  executeChangeSet: (client, StackName, ChangeSetName) =>
    client.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName })),
  getStackPolicy: (client, StackName) => client.send(new GetStackPolicyCommand({ StackName })),
  getTemplate: (client, StackName) => client.send(new GetTemplateCommand({ StackName })),
  getTemplateSummary: (client, StackName) => client.send(new GetTemplateSummaryCommand({ StackName })),
  listChangeSets: (client, StackName) => client.send(new ListChangeSetsCommand({ StackName })),
  listStackResources: (client, StackName) => client.send(new ListStackResourcesCommand({ StackName })),
  setStackPolicy: (client, StackName) =>
    client.send(new SetStackPolicyCommand({ StackName, StackPolicyBody: '{"Statement":[]}' })),
  updateStack: (client, StackName) =>
    client.send(new UpdateStackCommand({ StackName, TemplateBody: body('changed') })),
  updateTerminationProtection: (client, StackName) =>
    client.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: true })),
};

const OTHERS: Readonly<Record<string, Who>> = {
  'an administrator of another account': { accountId: '444455556666', userName: 'eve' },
  'an administrator of the account, in another Region': { region: 'us-east-1' },
  'a user of the account without permission': { userName: 'bob', policies: [] },
};

it.for(Object.entries(OTHERS))('shows nothing to %s, and changes nothing for them', async ([, who]) => {
  const aws = await startAws();
  const ann = personOf(aws);
  const { StackId: id = '' } = await ann.cloudFormation.send(
    new CreateStackCommand({ StackName: 'own', TemplateBody: body('first') }),
  );
  await settled(aws, ann, 'own');
  const { Id: changeSet = '' } = await ann.cloudFormation.send(
    new CreateChangeSetCommand({ StackName: 'own', ChangeSetName: 'set', TemplateBody: body('second') }),
  );
  const before = await settled(aws, ann, 'own');
  const { cloudFormation: client } = personOf(aws, who);
  const passed: string[] = [];
  for (const [name, send] of Object.entries(OPERATIONS)) {
    for (const [stack, set] of [['own', 'set'] as const, [id, changeSet] as const]) {
      const answer = await refused(send(client, stack, set));
      // A stack that is not there is no error of its deletion.
      if (answer.name === 'answered' && name !== 'deleteStack') passed.push(`${name} ${stack}`);
    }
  }
  expect(passed).toEqual([]);
  const listed = await client.send(new ListStacksCommand({})).catch(() => ({ StackSummaries: [] }));
  expect(listed.StackSummaries ?? []).toEqual([]);
  expect(await settled(aws, ann, 'own')).toEqual(before);
  const set = await ann.cloudFormation.send(
    new DescribeChangeSetCommand({ StackName: 'own', ChangeSetName: 'set' }),
  );
  expect(set).toMatchObject({ ExecutionStatus: 'AVAILABLE' });
});
