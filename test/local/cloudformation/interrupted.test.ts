import { cpSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import type { InstanceHooks } from '../../../local/cloudformation/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { outputsOf, personOf, settled, startAws, type Person } from './cloud.ts';

/** A key, then an instance that the key's description comes before, then a topic; `Bad` fails where it is wanted. */
const TEMPLATE = `
Parameters:
  Text: { Type: String, Default: first }
  Bad: { Type: String, Default: 'no' }
Conditions:
  IsBad: !Equals [!Ref Bad, 'yes']
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      Description: !Ref Text
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - { Effect: Allow, Principal: { AWS: !Sub 'arn:aws:iam::\${AWS::AccountId}:root' }, Action: 'kms:*', Resource: '*' }
  Host:
    Type: AWS::EC2::Instance
    DependsOn: Key
    Properties: { ImageId: !Sub 'ami-\${Text}', InstanceType: m6i.xlarge }
  Topic:
    Type: AWS::SNS::Topic
    DependsOn: Host
    Properties: { DisplayName: !Ref Text }
  Fails:
    Type: AWS::S3::BucketPolicy
    Condition: IsBad
    DependsOn: Topic
    Properties:
      Bucket: nowhere-at-all
      PolicyDocument: { Version: '2012-10-17', Statement: [] }
Outputs:
  KeyArn: { Value: !GetAtt Key.Arn }
  Host: { Value: !Ref Host }
`;

/** Hosts that tell what was done, and let a test do something in the middle. */
class Hosts implements InstanceHooks {
  readonly done: string[] = [];
  during: (what: string) => void = () => undefined;

  async launch({ instanceId }: { readonly instanceId: string }): Promise<{ readonly privateIp: string }> {
    this.#tell(`launch ${instanceId}`);
    return await Promise.resolve({ privateIp: '10.0.0.7' });
  }

  async terminate(instanceId: string): Promise<void> {
    this.#tell(`terminate ${instanceId}`);
    await Promise.resolve();
  }

  #tell(what: string): void {
    this.done.push(what);
    this.during(what.split(' ')[0] ?? '');
  }
}

async function start(stateDirectory: string) {
  const hosts = new Hosts();
  const aws = await startAws({ stateDirectory, instanceHooks: hosts });
  return { hosts, aws, ann: personOf(aws) };
}

const values = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
const create = ({ cloudFormation }: Person) =>
  cloudFormation.send(new CreateStackCommand({ StackName: 'node', TemplateBody: TEMPLATE }));
const update = ({ cloudFormation }: Person, fields: Readonly<Record<string, string>>) =>
  cloudFormation.send(
    new UpdateStackCommand({ StackName: 'node', UsePreviousTemplate: true, Parameters: values(fields) }),
  );

async function completions({ cloudFormation }: Person, status: string): Promise<string[]> {
  const { StackEvents: events = [] } = await cloudFormation.send(
    new DescribeStackEventsCommand({ StackName: 'node' }),
  );
  return events
    .filter(({ ResourceStatus }) => ResourceStatus === status)
    .map(({ LogicalResourceId: id = '' }) => id)
    .toReversed();
}

describe('a stack operation that the end of the process cuts off', () => {
  it('is an update that goes on at the next start, and repeats the step under way alone', async () => {
    const [folder, image] = [temporaryFolder(), join(temporaryFolder(), 'image')];
    const first = await start(folder);
    await create(first.ann);
    const before = outputsOf(await settled(first.aws, first.ann, 'node'));
    // What a power failure leaves: the files as they are while the second host is being launched.
    first.hosts.during = () => {
      first.hosts.during = () => undefined;
      cpSync(folder, image, { recursive: true });
    };
    await update(first.ann, { Text: 'second' });
    await settled(first.aws, first.ann, 'node');
    const second = await start(image);
    const stack = await settled(second.aws, second.ann, 'node');
    expect(stack).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    const { KeyArn = '', Host: host = '' } = outputsOf(stack);
    expect(KeyArn).toBe(before['KeyArn']);
    expect(host).not.toBe(before['Host']);
    expect(second.hosts.done).toEqual([`launch ${host}`, `terminate ${before['Host'] ?? ''}`]);
    expect(first.hosts.done.slice(1)).toEqual(second.hosts.done);
    const key = await second.ann.kms.send(new DescribeKeyCommand({ KeyId: KeyArn }));
    expect(key.KeyMetadata?.Description).toBe('second');
    expect(await completions(second.ann, 'UPDATE_COMPLETE')).toEqual(['Key', 'Host', 'Topic', 'node']);
  });

  it('is an update that ends by itself after the step under way, when the process is closed', async () => {
    const folder = temporaryFolder();
    const first = await start(folder);
    await create(first.ann);
    await settled(first.aws, first.ann, 'node');
    let closed: Promise<void> | undefined;
    first.hosts.during = () => {
      closed ??= first.aws.close();
    };
    await update(first.ann, { Text: 'second' });
    await expect.poll(() => closed !== undefined).toBe(true);
    await closed;
    const second = await start(folder);
    expect(await settled(second.aws, second.ann, 'node')).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    // The host was launched before the end, and the former one terminated after it.
    expect(second.hosts.done).toEqual([first.hosts.done[0]?.replace('launch', 'terminate')]);
    expect(await completions(second.ann, 'UPDATE_COMPLETE')).toEqual(['Key', 'Host', 'Topic', 'node']);
  });

  it('is a rollback, which goes on to the former values', async () => {
    const [folder, image] = [temporaryFolder(), join(temporaryFolder(), 'image')];
    const first = await start(folder);
    await create(first.ann);
    const before = outputsOf(await settled(first.aws, first.ann, 'node'));
    first.hosts.during = (what) => {
      if (what === 'terminate') cpSync(folder, image, { recursive: true });
    };
    await update(first.ann, { Text: 'second', Bad: 'yes' });
    await settled(first.aws, first.ann, 'node');
    const second = await start(image);
    const stack = await settled(second.aws, second.ann, 'node');
    expect(stack).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
    expect(outputsOf(stack)).toEqual(before);
    expect(stack.Parameters).toContainEqual({ ParameterKey: 'Text', ParameterValue: 'first' });
    expect(second.hosts.done).toEqual([first.hosts.done[1]?.replace('launch', 'terminate')]);
    const key = await second.ann.kms.send(new DescribeKeyCommand({ KeyId: before['KeyArn'] }));
    expect(key.KeyMetadata).toMatchObject({ Description: 'first', KeyState: 'Enabled' });
  });

  it('is a deletion', async () => {
    const [folder, image] = [temporaryFolder(), join(temporaryFolder(), 'image')];
    const first = await start(folder);
    const { StackId: id = '' } = await create(first.ann);
    const { KeyArn } = outputsOf(await settled(first.aws, first.ann, 'node'));
    first.hosts.during = () => cpSync(folder, image, { recursive: true });
    await first.ann.cloudFormation.send(new DeleteStackCommand({ StackName: 'node' }));
    await first.aws.cloudFormation.settled();
    const second = await start(image);
    expect(await settled(second.aws, second.ann, id)).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    const key = await second.ann.kms.send(new DescribeKeyCommand({ KeyId: KeyArn }));
    expect(key.KeyMetadata?.KeyState).toBe('PendingDeletion');
  });
});
