import { CreateStackCommand, DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { beforeEach, expect, it } from 'vitest';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNT, personOf, refused, settled, startAws, type Person } from '../cloudformation/cloud.ts';

const trust = (service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  });
const allow = (action: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  });
const RoleName = 'host';
const BOUNDARY = 'arn:aws:iam::aws:policy/AdministratorAccess';

let aws: LocalAws;
let ann: Person;

beforeEach(async () => {
  aws = await startAws();
  ann = personOf(aws);
});

const create = (more: object = {}) =>
  ann.iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust('ec2.amazonaws.com'), ...more }),
  );

it('keeps roles with their policies, and deletes those that have none any more', async () => {
  await create({ Path: '/vault/', Description: 'a host', Tags: [{ Key: 'a', Value: 'b' }] });
  const arn = `arn:aws:iam::${ACCOUNT}:role/vault/host`;
  const { Role: role } = await ann.iam.send(new GetRoleCommand({ RoleName }));
  expect(role).toMatchObject({ Arn: arn, Description: 'a host', MaxSessionDuration: 3600 });
  expect(decodeURIComponent(role?.AssumeRolePolicyDocument ?? '')).toBe(trust('ec2.amazonaws.com'));
  expect(await refused(create())).toMatchObject({ name: 'EntityAlreadyExistsException' });
  const policy = { RoleName, PolicyName: 'own' };
  await ann.iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument: allow('s3:GetObject') }));
  const read = await ann.iam.send(new GetRolePolicyCommand(policy));
  expect(decodeURIComponent(read.PolicyDocument ?? '')).toBe(allow('s3:GetObject'));
  const attached = { RoleName, PolicyArn: 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore' };
  await ann.iam.send(new AttachRolePolicyCommand(attached));
  const { AttachedPolicies: list } = await ann.iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  expect(list).toEqual([{ PolicyName: 'AmazonSSMManagedInstanceCore', PolicyArn: attached.PolicyArn }]);
  const remove = () => refused(ann.iam.send(new DeleteRoleCommand({ RoleName })));
  expect(await remove()).toMatchObject({ name: 'DeleteConflictException' });
  await ann.iam.send(new DeleteRolePolicyCommand(policy));
  expect(await remove()).toMatchObject({ name: 'DeleteConflictException' });
  await ann.iam.send(new DetachRolePolicyCommand(attached));
  expect(await remove()).toMatchObject({ name: 'answered' });
  expect(await remove()).toMatchObject({ name: 'NoSuchEntityException' });
});

it('refuses policies that are none, and a role for whoever may not make one', async () => {
  const bad = refused(create({ AssumeRolePolicyDocument: '{"Statement":[]' }));
  expect(await bad).toMatchObject({ name: 'MalformedPolicyDocumentException' });
  await create();
  const update = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: allow('s3:GetObject') });
  expect(await refused(ann.iam.send(update))).toMatchObject({ name: 'MalformedPolicyDocumentException' });
  const eve = personOf(aws, { userName: 'eve', policies: [allow('iam:GetRole')] });
  const made = eve.iam.send(
    new CreateRoleCommand({ RoleName: 'other', AssumeRolePolicyDocument: trust('ec2.amazonaws.com') }),
  );
  expect((await refused(made)).name).toMatch(/^AccessDenied/);
  // Another account's role of the same name is not this one.
  const mal = personOf(aws, { accountId: '444455556666', userName: 'mal' });
  expect(await refused(mal.iam.send(new GetRoleCommand({ RoleName })))).toMatchObject({
    name: 'NoSuchEntityException',
  });
});

it('refuses a permissions boundary rather than ignoring it, of a request and of a template', async () => {
  const asked = refused(create({ PermissionsBoundary: BOUNDARY }));
  expect(await asked).toMatchObject({ name: 'ValidationError' });
  expect(await refused(ann.iam.send(new GetRoleCommand({ RoleName })))).toMatchObject({
    name: 'NoSuchEntityException',
  });
  const Properties = {
    AssumeRolePolicyDocument: JSON.parse(trust('ec2.amazonaws.com')) as object,
    PermissionsBoundary: BOUNDARY,
  };
  await ann.cloudFormation.send(
    new CreateStackCommand({
      StackName: 'bounded',
      TemplateBody: JSON.stringify({ Resources: { Role: { Type: 'AWS::IAM::Role', Properties } } }),
      Capabilities: ['CAPABILITY_IAM'],
    }),
  );
  expect(await settled(aws, ann, 'bounded')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' });
  const { StackEvents: events = [] } = await ann.cloudFormation.send(
    new DescribeStackEventsCommand({ StackName: 'bounded' }),
  );
  const failed = events.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED');
  expect(failed?.ResourceStatusReason).toContain('PermissionsBoundary');
});
