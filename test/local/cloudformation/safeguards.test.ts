import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetStackPolicyCommand,
  GetTemplateCommand,
  ListStacksCommand,
  SetStackPolicyCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  type CreateStackCommandInput,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNT, personOf, refused, REGION, settled, startAws, type Person } from './cloud.ts';

const StackName = 'node';
const topics = (text: string, more: object = {}) =>
  JSON.stringify({
    Resources: {
      Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'topic', DisplayName: text } },
      Other: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `other-${text}` } },
      ...more,
    },
  });
const role = (more: object = {}) =>
  topics('one', {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: { AssumeRolePolicyDocument: JSON.parse(trust('ec2.amazonaws.com')) as object, ...more },
    },
  });
const trust = (service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  });
const allow = (...Action: readonly string[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });

let aws: LocalAws;
let ann: Person;

beforeEach(async () => {
  aws = await startAws();
  ann = personOf(aws);
});

const create = (more: Partial<CreateStackCommandInput>, person = ann) =>
  person.cloudFormation.send(new CreateStackCommand({ StackName, ...more }));
const update = (TemplateBody: string, more: object = {}) =>
  ann.cloudFormation.send(new UpdateStackCommand({ StackName, TemplateBody, ...more }));

describe('a creation', () => {
  it('asks for the capability that its roles need', async () => {
    const named = role({ RoleName: 'named' });
    expect(await refused(create({ TemplateBody: role() }))).toMatchObject({
      name: 'InsufficientCapabilitiesException',
      message: 'Requires capabilities : [CAPABILITY_IAM]',
    });
    const weak = create({ TemplateBody: named, Capabilities: ['CAPABILITY_IAM'] });
    expect(await refused(weak)).toMatchObject({ message: 'Requires capabilities : [CAPABILITY_NAMED_IAM]' });
    await create({ TemplateBody: role(), Capabilities: ['CAPABILITY_NAMED_IAM'] });
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  });

  it('passes a role only when the caller may, and then does what the role may', async () => {
    const RoleARN = aws.directory.defineRole({
      accountId: ACCOUNT,
      roleName: 'stacks',
      trustPolicy: trust('cloudformation.amazonaws.com'),
      policies: [allow('sns:*')],
    });
    const untrusting = aws.directory.defineRole({
      accountId: ACCOUNT,
      roleName: 'hosts',
      trustPolicy: trust('ec2.amazonaws.com'),
      policies: [allow('*')],
    });
    const bob = personOf(aws, { userName: 'bob', policies: [allow('cloudformation:*')] });
    expect((await refused(create({ TemplateBody: topics('one'), RoleARN }, bob))).message).toContain(
      'iam:PassRole',
    );
    const wrong = refused(create({ TemplateBody: topics('one'), RoleARN: untrusting }));
    expect((await wrong).message).toContain('cannot be assumed');
    // Who may pass it needs no permission of its own for what it makes; the role cannot make a bucket.
    const eve = personOf(aws, { userName: 'eve', policies: [allow('cloudformation:*', 'iam:PassRole')] });
    await create({ TemplateBody: topics('one'), RoleARN }, eve);
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'CREATE_COMPLETE', RoleARN });
    await update(topics('one', { Bucket: { Type: 'AWS::S3::Bucket' } }));
    expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
  });

  it('reads a template from S3 as the caller may, and no address of others', async () => {
    await ann.s3.send(new CreateBucketCommand({ Bucket: 'stack-templates' }));
    const object = { Bucket: 'stack-templates', Key: 'a b/node.json' };
    await ann.s3.send(new PutObjectCommand({ ...object, Body: topics('one') }));
    const TemplateURL = `https://stack-templates.s3.${REGION}.amazonaws.com/a%20b/node.json`;
    const bob = personOf(aws, { userName: 'bob', policies: [allow('cloudformation:*', 'sns:*')] });
    expect((await refused(create({ TemplateURL }, bob))).message).toContain('S3 error');
    for (const bad of ['https://example.org/node.json', 'http://localhost/b/k', 'file:///etc/passwd']) {
      expect(await refused(create({ TemplateURL: bad }))).toMatchObject({ name: 'ValidationError' });
    }
    const both = create({ TemplateURL, TemplateBody: topics('one') });
    expect(await refused(both)).toMatchObject({ name: 'ValidationError' });
    await create({ TemplateURL });
    const { TemplateBody: body } = await ann.cloudFormation.send(new GetTemplateCommand({ StackName }));
    expect(body).toBe(topics('one'));
  });

  it('takes a body of 51,200 bytes and no more', async () => {
    const body = topics('one').padEnd(51_200, ' ');
    expect((await refused(create({ TemplateBody: `${body} ` }))).message).toContain('51200');
    expect(await refused(create({ TemplateBody: body }))).toMatchObject({ name: 'answered' });
  });
});

it('shows no value of a NoEcho parameter anywhere', async () => {
  const body = JSON.stringify({
    Parameters: { Secret: { Type: 'String', NoEcho: true } },
    Resources: {
      Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { Ref: 'Secret' } } },
      Fails: {
        Type: 'AWS::S3::Bucket',
        DependsOn: 'Topic',
        Properties: { BucketName: { 'Fn::Sub': 'NOT-A-NAME-${Secret}' } },
      },
    },
  });
  await create({ TemplateBody: body, Parameters: [{ ParameterKey: 'Secret', ParameterValue: 'hunter-22' }] });
  await settled(aws, ann, StackName);
  const shown = await Promise.all([
    ann.cloudFormation.send(new DescribeStacksCommand({ StackName })),
    ann.cloudFormation.send(new DescribeStackEventsCommand({ StackName })),
    ann.cloudFormation.send(new ListStacksCommand({})),
  ]);
  expect(JSON.stringify(shown)).toContain('****');
  expect(JSON.stringify(shown)).not.toContain('hunter-22');
});

it('lets an update change what the stack policy allows alone', async () => {
  const StackPolicyBody = JSON.stringify({
    Statement: [
      { Effect: 'Allow', Principal: '*', Action: 'Update:*', Resource: '*' },
      {
        Effect: 'Deny',
        Principal: '*',
        Action: ['Update:Replace', 'Update:Delete'],
        Resource: 'LogicalResourceId/Other',
      },
    ],
  });
  await create({ TemplateBody: topics('one') });
  await settled(aws, ann, StackName);
  const bad = new SetStackPolicyCommand({ StackName, StackPolicyBody: '{"Statement":7}' });
  expect(await refused(ann.cloudFormation.send(bad))).toMatchObject({ name: 'ValidationError' });
  await ann.cloudFormation.send(new SetStackPolicyCommand({ StackName, StackPolicyBody }));
  const read = await ann.cloudFormation.send(new GetStackPolicyCommand({ StackName }));
  expect(read.StackPolicyBody).toBe(StackPolicyBody);
  expect((await refused(update(topics('two')))).message).toContain('denied by stack policy: Update:Replace');
  const during = { StackPolicyDuringUpdateBody: StackPolicyBody.replace('Deny', 'Allow') };
  expect(await refused(update(topics('two'), during))).toMatchObject({ name: 'answered' });
});

it('keeps a protected stack', async () => {
  await create({ TemplateBody: topics('one'), EnableTerminationProtection: true });
  await settled(aws, ann, StackName);
  const remove = () => refused(ann.cloudFormation.send(new DeleteStackCommand({ StackName })));
  expect((await remove()).message).toContain('TerminationProtection is enabled');
  await ann.cloudFormation.send(
    new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
  );
  expect(await remove()).toMatchObject({ name: 'answered' });
});
