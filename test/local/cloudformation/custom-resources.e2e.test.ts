import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { beforeEach, describe, expect, it } from 'vitest';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { personOf, settled, startAws, type Person } from './cloud.ts';
import { makeFunctionRole, withFunction } from './functions.ts';

interface Question {
  readonly RequestType: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>;
}

let aws: LocalAws;
let ann: Person;
let folder: string;

beforeEach(async () => {
  aws = await startAws();
  ann = personOf(aws);
  await makeFunctionRole(ann);
  folder = temporaryFolder();
});

/** What the function was asked, in order. */
const asked = (): Question[] =>
  readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Question);
const brief = () => asked().map(({ RequestType, PhysicalResourceId }) => [RequestType, PhysicalResourceId]);

const create = async (things: Readonly<Record<string, object>>) => {
  const TemplateBody = withFunction(folder, things);
  await ann.cloudFormation.send(new CreateStackCommand({ StackName: 'custom', TemplateBody }));
  return await settled(aws, ann, 'custom');
};
const update = async (things: Readonly<Record<string, object>>) => {
  const TemplateBody = withFunction(folder, things);
  await ann.cloudFormation.send(new UpdateStackCommand({ StackName: 'custom', TemplateBody }));
  return await settled(aws, ann, 'custom');
};
const physicalId = async () => {
  const command = new DescribeStackResourceCommand({ StackName: 'custom', LogicalResourceId: 'Thing' });
  return (await ann.cloudFormation.send(command)).StackResourceDetail?.PhysicalResourceId;
};
const reasons = async () => {
  const { StackEvents: events = [] } = await ann.cloudFormation.send(
    new DescribeStackEventsCommand({ StackName: 'custom' }),
  );
  return events
    .filter(({ ResourceStatus: status = '' }) => /^(?:CREATE|UPDATE|DELETE)_FAILED$/.test(status))
    .map(({ ResourceStatusReason: reason = '' }) => reason.replace(/[0-9a-f-]{36}/, 'ID'));
};

describe('a custom resource', () => {
  it('is what its function answers: id and data, which others take', async () => {
    const stack = await create({
      Thing: { Id: 'one', Say: '{"Data":{"Colour":"red"}}', Number: 7, Flag: true },
      Other: { Id: 'two', Text: { 'Fn::GetAtt': 'Thing.Colour' }, Ref: { Ref: 'Thing' } },
    });
    expect(stack).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    const [thing, other] = asked();
    expect(thing).toMatchObject({ RequestType: 'Create', ResourceProperties: { Number: '7', Flag: 'true' } });
    expect(other).toMatchObject({ ResourceProperties: { Text: 'red', Ref: 'one' } });
  });

  it('is deleted under its former id, at the end, when an update answers with another', async () => {
    await create({ Thing: { Id: 'one', Text: 'a' } });
    expect(await update({ Thing: { Id: 'one', Text: 'b' } })).toMatchObject({
      StackStatus: 'UPDATE_COMPLETE',
    });
    expect(brief()).toEqual([
      ['Create', undefined],
      ['Update', 'one'],
    ]);
    await update({ Thing: { Id: 'two', Text: 'c' } });
    expect(await physicalId()).toBe('two');
    expect(brief().slice(2)).toEqual([
      ['Update', 'one'],
      ['Delete', 'one'],
    ]);
    const [, , changed, deleted] = asked();
    expect(changed?.OldResourceProperties).toMatchObject({ Text: 'b' });
    expect(changed?.ResourceProperties).toMatchObject({ Text: 'c' });
    // The former one is deleted with its own properties.
    expect(deleted?.ResourceProperties).toMatchObject({ Text: 'b' });
  });

  it('that fails is rolled back: its function is asked to delete what it named', async () => {
    const stack = await create({ Thing: { Id: 'half', Say: '{"Status":"FAILED","Reason":"no room"}' } });
    expect(stack).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' });
    expect(brief()).toEqual([
      ['Create', undefined],
      ['Delete', 'half'],
    ]);
    expect(await reasons()).toEqual([
      'Received response status [FAILED] from custom resource. Message returned: no room (RequestId: ID)',
    ]);
  });

  it('whose update fails goes back to its former properties, and no other function is asked', async () => {
    await create({ Quiet: { Id: 'quiet', Text: 'same' }, Thing: { Id: 'one', Text: 'a' } });
    const stack = await update({
      Quiet: { Id: 'quiet', Text: 'same' },
      Thing: { Id: 'one', Text: 'b', Say: '{"Status":"FAILED","Reason":"never"}' },
    });
    expect(stack).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
    const updates = asked().filter(({ RequestType }) => RequestType !== 'Create');
    expect(
      updates.map((one) => [one.RequestType, one.LogicalResourceId, one.ResourceProperties['Text']]),
    ).toEqual([
      ['Update', 'Thing', 'b'],
      ['Update', 'Thing', 'a'],
    ]);
    expect(updates[1]?.OldResourceProperties).toMatchObject({ Text: 'b' });
    expect(new Set(asked().map(({ RequestId }) => RequestId)).size).toBe(4);
  });

  it('that is never answered, too long or malformed fails by its name', async () => {
    const answers = {
      nothing: 'CloudFormation did not receive a response from your Custom Resource',
      [JSON.stringify({ Data: { Long: 'x'.repeat(4000) } })]: 'Response object is too long.',
      'not JSON': 'Invalid response object',
      '{"Status":"MAYBE"}': 'Invalid response object',
      '{"RequestId":"another"}': 'Value of property RequestId must match the request',
      '{"StackId":"another"}': 'Value of property StackId must match the request',
      '{"PhysicalResourceId":null}': 'Invalid',
      [JSON.stringify({ PhysicalResourceId: 'y'.repeat(1025) })]: 'Invalid response object',
    };
    const names = Object.keys(answers).map((_answer, index) => `custom-${index}`);
    await Promise.all(
      Object.keys(answers).map(async (Say, index) => {
        const seconds = Say === 'nothing' ? 1 : 30;
        const TemplateBody = withFunction(folder, { Thing: { Id: 'one', Say, ServiceTimeout: seconds } });
        const StackName = names[index];
        await ann.cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody }));
      }),
    );
    for (const [index, words] of Object.values(answers).entries()) {
      const name = names[index] ?? '';
      // A function that has one second for its answer may be late with the deletion, too.
      expect((await settled(aws, ann, name)).StackStatus).toMatch(/^ROLLBACK_/);
      const { StackEvents: events = [] } = await ann.cloudFormation.send(
        new DescribeStackEventsCommand({ StackName: name }),
      );
      const failed = events.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED');
      expect(failed?.ResourceStatusReason).toContain(words);
    }
  });

  it('whose deletion is refused stays, and the update is done', async () => {
    await create({ Thing: { Id: 'one', SayWhenDeleted: '{"Status":"FAILED","Reason":"in use"}' } });
    const stack = await update({});
    // The update itself is done; what could not be deleted stays.
    expect(stack).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    expect((await reasons())[0]).toContain('in use');
  });
});

it('goes on with a creation whose function was under way when the process ended', async () => {
  const stateDirectory = temporaryFolder();
  const start = () => startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }), stateDirectory });
  const first = await start();
  const bob = personOf(first);
  await makeFunctionRole(bob);
  const TemplateBody = withFunction(folder, {
    Thing: { Id: 'one', Say: '{}' },
    Wait: { Id: 'w', Say: 'nothing' },
  });
  await bob.cloudFormation.send(new CreateStackCommand({ StackName: 'custom', TemplateBody }));
  await expect.poll(() => asked().some(({ LogicalResourceId }) => LogicalResourceId === 'Wait')).toBe(true);
  await first.close();
  const before = asked();
  // The next start asks again, with the same id of the request, so that a function can tell.
  const second = await startAws({ stateDirectory });
  await expect.poll(() => asked().length > before.length).toBe(true);
  const last = asked().at(-1);
  expect(last).toMatchObject({ RequestType: 'Create', LogicalResourceId: 'Wait' });
  expect(last?.RequestId).toBe(before.at(-1)?.RequestId);
  expect(second.port).toBeGreaterThan(0);
});
