import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  ListChangeSetsCommand,
  UpdateStackCommand,
  type CreateChangeSetCommandInput,
} from '@aws-sdk/client-cloudformation';
import { beforeEach, describe, expect, it } from 'vitest';
import type { InstanceHooks } from '../../../local/cloudformation/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { personOf, refused, settled, startAws, type Person } from './cloud.ts';

const StackName = 'node';
const template = (text: string, more: object = {}) =>
  JSON.stringify({
    Resources: {
      Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'topic', DisplayName: text } },
      Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: `bucket-${text}` } },
      ...more,
    },
  });

let aws: LocalAws;
let ann: Person;
let launching: { readonly begun: Promise<void>; readonly goOn: () => void };

beforeEach(async () => {
  const begun = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  launching = { begun: begun.promise, goOn: free.resolve };
  const instanceHooks: InstanceHooks = {
    async launch() {
      begun.resolve();
      await free.promise;
      return { privateIp: '10.0.0.7' };
    },
    terminate: async () => await Promise.resolve(),
  };
  aws = await startAws({ instanceHooks });
  ann = personOf(aws);
});

const propose = (name: string, TemplateBody: string, more: Partial<CreateChangeSetCommandInput> = {}) =>
  ann.cloudFormation.send(
    new CreateChangeSetCommand({ StackName, ChangeSetName: name, TemplateBody, ...more }),
  );
const describeSet = (ChangeSetName: string) =>
  ann.cloudFormation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName }));
const execute = (ChangeSetName: string) =>
  ann.cloudFormation.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName }));
const update = (TemplateBody: string) =>
  ann.cloudFormation.send(new UpdateStackCommand({ StackName, TemplateBody }));
const create = async () => {
  await ann.cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody: template('one') }));
  await settled(aws, ann, StackName);
};

describe('a change set', () => {
  it('makes a stack, once it is executed', async () => {
    await propose('first', template('one'), { ChangeSetType: 'CREATE' });
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'REVIEW_IN_PROGRESS' });
    const { Changes: changes = [] } = await describeSet('first');
    expect(changes.map(({ ResourceChange: one }) => [one?.Action, one?.LogicalResourceId])).toEqual([
      ['Add', 'Topic'],
      ['Add', 'Bucket'],
    ]);
    await execute('first');
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    expect(await refused(execute('first'))).toMatchObject({ name: 'InvalidChangeSetStatusException' });
  });

  it('says what is replaced and what is not, and changes nothing until then', async () => {
    await create();
    await propose('second', template('two'));
    const { Changes: changes = [], Status: status } = await describeSet('second');
    expect(status).toBe('CREATE_COMPLETE');
    const brief = changes.map(({ ResourceChange: one }) => [one?.LogicalResourceId, one?.Replacement]);
    expect(new Map(brief as [string, string][])).toEqual(
      new Map([
        ['Topic', 'False'],
        ['Bucket', 'True'],
      ]),
    );
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    await execute('second');
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  });

  it('without changes fails, and is not executed', async () => {
    await create();
    await propose('same', template('one'));
    expect(await describeSet('same')).toMatchObject({ Status: 'FAILED', ExecutionStatus: 'UNAVAILABLE' });
    expect(await refused(execute('same'))).toMatchObject({ name: 'InvalidChangeSetStatusException' });
  });

  it('is stale after another update, and gone when it was deleted', async () => {
    await create();
    await propose('stale', template('two'));
    await propose('gone', template('two'));
    expect(await refused(propose('gone', template('two')))).toMatchObject({ name: 'AlreadyExistsException' });
    await ann.cloudFormation.send(new DeleteChangeSetCommand({ StackName, ChangeSetName: 'gone' }));
    expect(await refused(execute('gone'))).toMatchObject({ name: 'ChangeSetNotFoundException' });
    await update(template('three'));
    await settled(aws, ann, StackName);
    expect(await describeSet('stale')).toMatchObject({ ExecutionStatus: 'OBSOLETE' });
    expect(await refused(execute('stale'))).toMatchObject({ name: 'InvalidChangeSetStatusException' });
  });

  it('takes the place of all others when it is executed', async () => {
    await create();
    await propose('a', template('two'));
    await propose('b', template('three'));
    await execute('a');
    await settled(aws, ann, StackName);
    const { Summaries: list } = await ann.cloudFormation.send(new ListChangeSetsCommand({ StackName }));
    expect(list?.map(({ ChangeSetName }) => ChangeSetName)).not.toContain('b');
  });
});

describe('two at once', () => {
  const host = {
    Host: { Type: 'AWS::EC2::Instance', Properties: { ImageId: 'ami-1', InstanceType: 'm6i.large' } },
  };

  it('are an update alone: another, a change set and a deletion are refused until it is over', async () => {
    await create();
    await propose('waiting', template('three'));
    await update(template('two', host));
    await launching.begun;
    const busy = { message: expect.stringMatching(/UPDATE_IN_PROGRESS/) as unknown };
    expect(await refused(update(template('three')))).toMatchObject(busy);
    expect(await refused(propose('new', template('three')))).toMatchObject(busy);
    expect(await refused(execute('waiting'))).toMatchObject(busy);
    const removal = ann.cloudFormation.send(new DeleteStackCommand({ StackName }));
    expect(await refused(removal)).toMatchObject(busy);
    launching.goOn();
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  });

  it('are one of two that come in the same moment', async () => {
    await create();
    await propose('set', template('two', host));
    // None of them is over before the others have come.
    const answers = await Promise.all([
      refused(update(template('three', host))),
      refused(update(template('four', host))),
      refused(execute('set')),
    ]);
    expect(answers.filter(({ name }) => name === 'answered').length).toBe(1);
    launching.goOn();
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    const created = await Promise.all(
      ['x', 'y'].map((text) =>
        refused(
          ann.cloudFormation.send(new CreateStackCommand({ StackName: 'new', TemplateBody: template(text) })),
        ),
      ),
    );
    expect(created.map(({ name }) => name).sort()).toEqual(['AlreadyExistsException', 'answered']);
  });
});
