import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Parameter,
  SetStackPolicyCommand,
  UpdateStackCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { DeleteSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MAX_TEMPLATE_BODY_BYTES,
  NODE_PARAMETERS,
  readConsoleTemplate,
  readStackPolicy,
  readTemplate,
  STACK_OUTPUTS,
} from '../../index.ts';
import { assertRefused, DoesNotHold, endKeyLater, type Probe, type ProbeContext } from '../probe.ts';
import { putTemplate, sourceObject } from './s3.ts';

const POLL_MS = 3_000;
/** How long a stack may take: the custom resource's own time-out is within it. */
const STACK_MS = 10 * 60_000;
const TEMPLATES = ['infrastructure', 'node', 'host'] as const;

const nameOf = ({ prefix }: ProbeContext) => `${prefix}-node-1`;

function parametersOf(context: ProbeContext, changes: Readonly<Record<string, string>> = {}): Parameter[] {
  const { node, infrastructure, prefix } = context;
  const values = {
    [NODE_PARAMETERS.namespace]: prefix,
    [NODE_PARAMETERS.environment]: 'contact',
    [NODE_PARAMETERS.nodeIndex]: '1',
    [NODE_PARAMETERS.walletAccountId]: infrastructure.accountId,
    [NODE_PARAMETERS.adminArns]: node.principalArn,
    [NODE_PARAMETERS.objectLockMode]: 'GOVERNANCE',
    [NODE_PARAMETERS.retentionDays]: '1',
    // The run's own principal is the gateway that reads an API key.
    [NODE_PARAMETERS.gatewayReaderArn]: node.principalArn,
    ...changes,
  };
  return Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
}

/** Waits for the end of an operation. @returns outputs by name. @throws DoesNotHold with the first failed event */
async function awaitStack(
  context: ProbeContext,
  stack: string,
  expected: string,
): Promise<Map<string, string>> {
  const { cloudFormation } = context.node;
  const deadline = performance.now() + STACK_MS;
  for (;;) {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    const [{ StackStatus = '', Outputs = [] } = {}] = Stacks;
    if (StackStatus === expected)
      return new Map(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
    if (!StackStatus.endsWith('_IN_PROGRESS')) {
      throw new DoesNotHold(`the stack is ${StackStatus}: ${await firstFailure(context, stack)}`);
    }
    if (performance.now() > deadline) throw new DoesNotHold(`the stack is ${StackStatus} after ten minutes`);
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

async function firstFailure({ node }: ProbeContext, stack: string): Promise<string> {
  const { StackEvents = [] } = await node.cloudFormation.send(
    new DescribeStackEventsCommand({ StackName: stack }),
  );
  const failed = StackEvents.toReversed().find(({ ResourceStatus = '' }) =>
    ResourceStatus.endsWith('_FAILED'),
  );
  return `${failed?.LogicalResourceId ?? '?'}: ${failed?.ResourceStatusReason ?? 'no reason'}`;
}

/** Has the log groups end with the stack of this run: nothing is in them that anybody will read. */
function endLogsWithStack(template: string): string {
  return template.replaceAll(
    /^( {4}Type: AWS::Logs::LogGroup\n(?: {4}.*\n| {6,}.*\n)*? {4}DeletionPolicy: )RetainExceptOnCreate$/gm,
    '$1Delete',
  );
}

/** Makes the KMS stack of a node, once. */
async function nodeStack(context: ProbeContext): Promise<ReadonlyMap<string, string>> {
  const { node, kept, endLater } = context;
  const known = kept.get('stack outputs');
  if (known !== undefined) return new Map(JSON.parse(known) as [string, string][]);
  const stack = nameOf(context);
  await node.cloudFormation.send(
    new CreateStackCommand({
      StackName: stack,
      TemplateBody: endLogsWithStack(await readTemplate('node')),
      Parameters: parametersOf(context),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  endLater(`stack ${stack}`, () => node.cloudFormation.send(new DeleteStackCommand({ StackName: stack })));
  const outputs = await awaitStack(context, stack, 'CREATE_COMPLETE');
  kept.set('stack outputs', JSON.stringify([...outputs]));
  const { keyArn, signingKeyArn, secretsKeyArn, bucketName, accessLogsBucketName } = STACK_OUTPUTS.node;
  const { passwordSecretArn, gatewaySecretArn } = STACK_OUTPUTS.node;
  for (const output of [keyArn, signingKeyArn, secretsKeyArn]) {
    const keyId = outputs.get(output);
    if (keyId === undefined) continue;
    endKeyLater(context, keyId);
  }
  for (const output of [passwordSecretArn, gatewaySecretArn]) {
    const secret = outputs.get(output);
    if (secret === undefined) continue;
    const input = { SecretId: secret, ForceDeleteWithoutRecovery: true };
    endLater(`secret ${secret}`, () => node.secretsManager.send(new DeleteSecretCommand(input)));
  }
  for (const output of [bucketName, accessLogsBucketName]) {
    const bucket = outputs.get(output);
    if (bucket === undefined) continue;
    endLater(`bucket ${bucket}`, async () => {
      // Its policy keeps everybody from deleting it.
      await node.s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
      await node.s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    });
  }
  return outputs;
}

export const STACK_PROBES: readonly Probe[] = [
  {
    assumption: 'aws-cfn-templates',
    look: async ({ node, infrastructure }) => {
      const seen: string[] = [];
      for (const name of TEMPLATES) {
        const body = await readTemplate(name);
        const { cloudFormation } = name === 'node' ? node : infrastructure;
        await cloudFormation.send(new ValidateTemplateCommand({ TemplateBody: body }));
        seen.push(`${name} ${Buffer.byteLength(body)}`);
      }
      return `${seen.join(', ')} of ${MAX_TEMPLATE_BODY_BYTES} bytes`;
    },
  },
  {
    assumption: 'aws-cfn-node-stack',
    look: async (context) => {
      const outputs = await nodeStack(context);
      return `CREATE_COMPLETE with ${outputs.size} outputs`;
    },
  },
  {
    assumption: 'aws-s3-write-once',
    look: async (context) => {
      const Bucket = (await nodeStack(context)).get(STACK_OUTPUTS.node.bucketName) ?? '';
      const { s3 } = context.node;
      // A refusal leaves nothing in the bucket, which could not be emptied afterwards.
      const object = { Bucket, Key: 'configurations/contact' };
      const put = s3.send(new PutObjectCommand({ ...object, Body: 'without a condition' }));
      const seen = await assertRefused(put, 'PutObject', ['AccessDenied']);
      const source = await sourceObject(context);
      const copy = s3.send(new CopyObjectCommand({ ...object, CopySource: source }));
      return `${seen}, ${await assertRefused(copy, 'CopyObject', ['AccessDenied'])}`;
    },
  },
  {
    assumption: 'aws-cfn-policy-stays',
    look: async (context) => {
      const keyId = (await nodeStack(context)).get(STACK_OUTPUTS.node.keyArn) ?? '';
      const { kms, cloudFormation } = context.node;
      const read = async () =>
        (await kms.send(new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default' }))).Policy ?? '';
      const marked = JSON.parse(await read()) as { Id: string };
      const policy = JSON.stringify({ ...marked, Id: `${marked.Id}-put-by-hand` });
      await kms.send(new PutKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default', Policy: policy }));
      await cloudFormation.send(
        new UpdateStackCommand({
          StackName: nameOf(context),
          TemplateBody: endLogsWithStack(await readTemplate('node')),
          Parameters: parametersOf(context, { [NODE_PARAMETERS.retentionDays]: '2' }),
          Capabilities: ['CAPABILITY_NAMED_IAM'],
        }),
      );
      await awaitStack(context, nameOf(context), 'UPDATE_COMPLETE');
      if (!(await read()).includes('put-by-hand'))
        throw new DoesNotHold('the update has put the template’s policy');
      return 'the policy that was put by hand is there after an update';
    },
  },
  {
    assumption: 'aws-cfn-custom-resource',
    look: async (context) => {
      const secret = await readGatewaySecret(context);
      return `CREATE_COMPLETE, and the secret has a value of ${secret.length} characters`;
    },
  },
  {
    assumption: 'aws-lambda-runtime',
    look: async (context) => {
      // The function has no other way to its secret than the SDK of the runtime.
      await readGatewaySecret(context);
      return 'the function has written by the SDK that the runtime has';
    },
  },
  {
    assumption: 'aws-cfn-inline-code',
    look: async (context) => {
      await nodeStack(context);
      const { cloudFormation } = context.node;
      const body = endLogsWithStack(await readConsoleTemplate());
      const changes = { [NODE_PARAMETERS.configSigningCode]: 'inline' };
      await cloudFormation.send(
        new UpdateStackCommand({
          StackName: nameOf(context),
          TemplateURL: await putTemplate(context, body),
          Parameters: parametersOf(context, changes),
          Capabilities: ['CAPABILITY_NAMED_IAM'],
        }),
      );
      const outputs = await awaitStack(context, nameOf(context), 'UPDATE_COMPLETE');
      if (outputs.get(STACK_OUTPUTS.node.configSigningFunctionName) === undefined)
        throw new DoesNotHold('the stack has no function after the update');
      return `a template of ${Buffer.byteLength(body)} bytes from S3, with the function inside`;
    },
  },
  {
    assumption: 'aws-cfn-stack-policy',
    look: async (context) => {
      await nodeStack(context);
      const { cloudFormation } = context.node;
      const StackName = nameOf(context);
      const policy = new SetStackPolicyCommand({ StackName, StackPolicyBody: readStackPolicy('node') });
      await cloudFormation.send(policy);
      const text = endLogsWithStack(await readConsoleTemplate());
      const update = new UpdateStackCommand({
        StackName,
        TemplateURL: await putTemplate(
          context,
          text.replaceAll('EnableKeyRotation: true', 'EnableKeyRotation: false'),
        ),
        Parameters: parametersOf(context, { [NODE_PARAMETERS.configSigningCode]: 'inline' }),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      });
      // CloudFormation refuses the request, or begins and takes it back: either leaves the key as it was.
      try {
        await cloudFormation.send(update);
      } catch (error) {
        if (error instanceof Error && error.name === 'ValidationError') return 'UpdateStack: ValidationError';
        throw error;
      }
      await awaitStack(context, StackName, 'UPDATE_ROLLBACK_COMPLETE');
      return 'UPDATE_ROLLBACK_COMPLETE';
    },
  },
  {
    assumption: 'aws-cfn-retain-except-on-create',
    look: async (context) => {
      const { cloudFormation, s3 } = context.node;
      const { prefix, node, endLater } = context;
      const [StackName, bucket] = [`${prefix}-fails`, `${prefix}-fails-${node.accountId}`];
      const Resources = {
        Kept: {
          Type: 'AWS::S3::Bucket',
          DeletionPolicy: 'RetainExceptOnCreate',
          Properties: { BucketName: bucket },
        },
        Fails: {
          Type: 'AWS::S3::BucketPolicy',
          DependsOn: 'Kept',
          Properties: {
            Bucket: `${bucket}-nowhere`,
            PolicyDocument: { Version: '2012-10-17', Statement: [] },
          },
        },
      };
      endLater(`bucket ${bucket}`, () => s3.send(new DeleteBucketCommand({ Bucket: bucket })));
      endLater(`stack ${StackName}`, () => cloudFormation.send(new DeleteStackCommand({ StackName })));
      await cloudFormation.send(
        new CreateStackCommand({ StackName, TemplateBody: JSON.stringify({ Resources }) }),
      );
      await awaitStack(context, StackName, 'ROLLBACK_COMPLETE');
      const head = s3.send(new HeadBucketCommand({ Bucket: bucket }));
      return await assertRefused(head, 'HeadBucket after the rollback', ['NotFound', 'NoSuchBucket']);
    },
  },
  {
    assumption: 'aws-cfn-retain',
    look: async (context) => {
      const outputs = await nodeStack(context);
      const { cloudFormation, kms, s3 } = context.node;
      await cloudFormation.send(new DeleteStackCommand({ StackName: nameOf(context) }));
      const deadline = performance.now() + STACK_MS;
      while (await exists(context)) {
        if (performance.now() > deadline) throw new DoesNotHold('the stack is not gone after ten minutes');
        await sleep(POLL_MS, undefined, { signal: context.signal });
      }
      const KeyId = outputs.get(STACK_OUTPUTS.node.keyArn) ?? '';
      await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
      await s3.send(new HeadBucketCommand({ Bucket: outputs.get(STACK_OUTPUTS.node.bucketName) ?? '' }));
      await readGatewaySecret(context);
      return 'key, bucket and secret are there without the stack';
    },
  },
];

/** Reads the API key that the custom resource of the stack has made. */
async function readGatewaySecret(context: ProbeContext): Promise<string> {
  const SecretId = (await nodeStack(context)).get(STACK_OUTPUTS.node.gatewaySecretArn);
  const { SecretString = '' } = await context.node.secretsManager.send(
    new GetSecretValueCommand({ SecretId }),
  );
  if (SecretString === '') throw new DoesNotHold('the secret is empty');
  return SecretString;
}

async function exists(context: ProbeContext): Promise<boolean> {
  try {
    const described = new DescribeStacksCommand({ StackName: nameOf(context) });
    const { Stacks = [] } = await context.node.cloudFormation.send(described);
    if (Stacks[0]?.StackStatus === 'DELETE_FAILED')
      throw new DoesNotHold(`DELETE_FAILED: ${await firstFailure(context, nameOf(context))}`);
    return Stacks[0]?.StackStatus !== 'DELETE_COMPLETE';
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return false;
    throw error;
  }
}
