import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws, type LocalAwsOptions } from '../../../local/testbed/local-aws.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';

/** Clients of one person. */
export interface Person {
  readonly credentials: AwsCredentials;
  readonly cloudFormation: CloudFormationClient;
  readonly kms: KMSClient;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  readonly sts: STSClient;
}

export interface Who {
  readonly accountId?: string;
  readonly region?: string;
  readonly policies?: readonly string[];
  readonly userName?: string;
  readonly credentials?: AwsCredentials;
}

/** Makes the clients of a user, an administrator unless other policies are given. */
export function personOf(aws: LocalAws, who: Who = {}): Person {
  const { accountId = ACCOUNT, region = REGION, policies = [ADMINISTRATOR_POLICY], userName = 'ann' } = who;
  const credentials = who.credentials ?? aws.directory.createAccessKey({ accountId, userName, policies });
  const options = (service: Parameters<LocalAws['clientOptions']>[0]) => ({
    ...aws.clientOptions(service, region),
    credentials,
    maxAttempts: 1,
  });
  const person = {
    credentials,
    cloudFormation: new CloudFormationClient(options('cloudformation')),
    kms: new KMSClient(options('kms')),
    iam: new IAMClient(options('iam')),
    s3: new S3Client(options('s3')),
    sts: new STSClient(options('sts')),
  };
  onTestFinished(() => {
    for (const client of [person.cloudFormation, person.kms, person.iam, person.s3, person.sts])
      client.destroy();
  });
  return person;
}

/** Starts a local AWS that ends with the test. */
export async function startAws(options: Partial<LocalAwsOptions> = {}): Promise<LocalAws> {
  const aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }), ...options });
  onTestFinished(() => aws.close());
  return aws;
}

/** Name and words of AWS for a refusal; `answered` without one. */
export async function refused(answer: Promise<unknown>): Promise<{ name: string; message: string }> {
  return await answer.then(
    () => ({ name: 'answered', message: '' }),
    (error: unknown) => {
      const { name, message } = error as Error;
      return { name, message };
    },
  );
}

/** Describes a stack when nothing is under way any more. */
export async function settled(aws: LocalAws, person: Person, name: string): Promise<Stack> {
  await aws.cloudFormation.settled();
  const { Stacks: stacks = [] } = await person.cloudFormation.send(
    new DescribeStacksCommand({ StackName: name }),
  );
  const [stack] = stacks;
  if (stack === undefined) throw new TypeError(`expected the stack ${name}`);
  return stack;
}

/** Outputs of a stack by key. */
export function outputsOf({ Outputs: outputs = [] }: Stack): Record<string, string> {
  return Object.fromEntries(
    outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']),
  );
}
