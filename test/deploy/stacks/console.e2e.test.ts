import { createHash } from 'node:crypto';
import {
  CreateStackCommand,
  DeleteStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { checkAccount, createAccountView, deriveStacks } from '../../../admin/vault/index.ts';
import type { StepContext } from '../../../admin/vault/steps/index.ts';
import { nodeKmsStack } from '../../../admin/vault/steps/node-kms-stack.ts';
import { describeStack } from '../../../admin/vault/steps/stack/index.ts';
import { readConsoleTemplate, readFunction, readStackPolicy, readTemplate } from '../../../deploy/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNTS, parseSample } from '../../admin/vault/sample-vault.ts';
import { personOf, REGION, settled, startAws, type Person } from '../../local/cloudformation/cloud.ts';
import { stepContextOf } from '../../local/cloudformation/step-context.ts';

const STACK = 'acme-production-node-1';
const [, accountId] = ACCOUNTS;

let aws: LocalAws;
let admin: Person;
beforeEach(async () => {
  aws = await startAws();
  const roleArn = aws.directory.defineRole({
    accountId,
    roleName: 'admin-of-1',
    policies: [ADMINISTRATOR_POLICY],
  });
  aws.directory.defineRole({ accountId, roleName: 'second-of-1' });
  admin = personOf(aws, { credentials: aws.directory.assumeRole({ roleArn, sessionName: 'person' }) });
});

const vaultWith = (isAuthority: boolean) =>
  parseSample(({ nodes: [first] }) => {
    if (first !== undefined) first.configurationAuthority.function = isAuthority;
  }).document;

/** Makes the stack as a person does in the console, which puts the template into a bucket of its own. */
async function makeInConsole(vault: ReturnType<typeof vaultWith>, chosen: Readonly<Record<string, string>>) {
  const Bucket = `cf-templates-${accountId}`;
  const constraint = { LocationConstraint: REGION as 'eu-central-1' };
  await admin.s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: constraint }));
  await admin.s3.send(new PutObjectCommand({ Bucket, Key: 'node.yaml', Body: await readConsoleTemplate() }));
  const derived = deriveStacks(vault).find(({ name }) => name === STACK);
  const given = { ...derived?.initial, ...derived?.parameters, ...chosen };
  await admin.cloudFormation.send(
    new CreateStackCommand({
      StackName: STACK,
      TemplateURL: `https://${Bucket}.s3.${REGION}.amazonaws.com/node.yaml`,
      Parameters: Object.entries(given).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  expect(await settled(aws, admin, STACK)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
}

function contextOf(vault: ReturnType<typeof vaultWith>): StepContext {
  const base = stepContextOf(aws, admin);
  return {
    ...base,
    vault,
    exchange: { statement: () => Promise.resolve(undefined) },
    aws: {
      ...base.aws,
      kms: () => Promise.resolve(admin.kms),
      s3: () => Promise.resolve(admin.s3),
    },
    template: async () => ({ text: await readTemplate('node'), policy: readStackPolicy('node') }),
    signingFunction: async () => await readFunction('config-signing'),
  } as unknown as StepContext;
}

const parametersOf = async () => {
  const stack = await describeStack(admin.cloudFormation, STACK, new AbortController().signal);
  return Object.fromEntries((stack?.Parameters ?? []).map((one) => [one.ParameterKey, one.ParameterValue]));
};

describe('a stack that was deleted by hand', () => {
  it('is not made anew once its key was stated, and neither is another one taken in its place', async () => {
    const vault = vaultWith(false);
    const [step, context] = [nodeKmsStack(1), contextOf(vault)];
    const first = await step.apply(context);
    expect(await step.inspect(context)).toEqual({ state: 'done' });
    const holding = (facts: object | undefined): StepContext => {
      const statement = (_role: string, name: string) =>
        Promise.resolve(name === 'kms-stack' ? { facts } : undefined);
      return { ...context, exchange: { statement } } as unknown as StepContext;
    };
    expect(await step.inspect(holding(first?.facts))).toEqual({ state: 'done' });
    const other = holding({ ...first?.facts, keyArn: `${first?.facts.keyArn ?? ''}0` });
    await expect(step.inspect(other)).rejects.toMatchObject({ code: 'VAULT_STACK_GONE' });
    const protection = { StackName: STACK, EnableTerminationProtection: false };
    await admin.cloudFormation.send(new UpdateTerminationProtectionCommand(protection));
    await admin.cloudFormation.send(new DeleteStackCommand({ StackName: STACK }));
    await aws.cloudFormation.settled();
    const gone = { code: 'VAULT_STACK_GONE', details: { expected: first?.facts.keyArn } };
    const stated = holding(first?.facts);
    await expect(step.inspect(stated)).rejects.toMatchObject(gone);
    await expect(step.apply(stated)).rejects.toMatchObject(gone);
    expect(await describeStack(admin.cloudFormation, STACK, context.signal)).toBeUndefined();
    // "vault check" sees it, too.
    const clients = { sts: admin.sts, cloudFormation: admin.cloudFormation, kms: admin.kms };
    const found = await checkAccount(vault, 'node-1', createAccountView(clients, context.signal));
    expect(found.map(({ code }) => code)).toEqual(['STACK_DELETED']);
  });
});

describe('a stack that was made in the console', () => {
  it('is taken over by the step, with its function and with what was chosen', async () => {
    const vault = vaultWith(true);
    await makeInConsole(vault, { ObjectLockMode: 'COMPLIANCE' });
    expect(await parametersOf()).toMatchObject({ ConfigSigningCode: 'inline' });
    const [step, context] = [nodeKmsStack(1), contextOf(vault)];
    expect(await step.inspect(context)).toMatchObject({ state: 'ready' });
    const statement = await step.apply(context);
    expect(statement?.facts.signingKey).toMatch(/^[0-9a-f]{64}$/);
    const { key, zip } = await readFunction('config-signing');
    expect(await parametersOf()).toMatchObject({ ConfigSigningCode: key, ObjectLockMode: 'COMPLIANCE' });
    expect(await step.inspect(context)).toEqual({ state: 'done' });
    const lambda = new LambdaClient({
      ...aws.clientOptions('lambda', REGION),
      credentials: admin.credentials,
      maxAttempts: 1,
    });
    onTestFinished(() => lambda.destroy());
    const command = new GetFunctionConfigurationCommand({ FunctionName: `${STACK}-signing` });
    expect((await lambda.send(command)).CodeSha256).toBe(createHash('sha256').update(zip).digest('base64'));
  });

  it('is taken over without a function, where the Region has no key for one', async () => {
    const vault = vaultWith(false);
    await makeInConsole(vault, {});
    const [step, context] = [nodeKmsStack(1), contextOf(vault)];
    const statement = await step.apply(context);
    expect(statement?.facts.signingKey).toBeNull();
    expect(await parametersOf()).toMatchObject({ ConfigSigningKey: 'no' });
    expect(await step.inspect(context)).toEqual({ state: 'done' });
  });
});
