import { CreateStackCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { applyStack, inspectStack } from '../../../admin/vault/steps/stack/index.ts';
import { ACCOUNT, outputsOf, personOf, settled, startAws } from '../../local/cloudformation/cloud.ts';
import { orderOf, stepContextOf } from '../../local/cloudformation/step-context.ts';

const NODE = {
  Namespace: 'acme',
  Environment: 'production',
  NodeIndex: '1',
  WalletAccountId: '444455556666',
  AdminArns: `arn:aws:iam::${ACCOUNT}:user/ann`,
};
const listed = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));

it('a stack keeps what somebody has chosen for it, when it is applied again with another template', async () => {
  const aws = await startAws();
  const ann = personOf(aws);
  const reader = aws.directory.defineRole({ accountId: '444455556666', roleName: 'gateway' });
  const chosen = {
    ObjectLockMode: 'COMPLIANCE',
    RetentionDays: '7000',
    GatewayReaderArn: reader,
    GatewaySecretGeneration: '3',
  };
  const order = await orderOf('node', NODE);
  // As a person makes it in the console; one parameter is of an older template, and the new one does not have it.
  const older = order.template.replace(
    /^Parameters:\n/m,
    (line) => `${line}  Former: { Type: String, Default: no }\n`,
  );
  await ann.cloudFormation.send(
    new CreateStackCommand({
      StackName: order.name,
      TemplateBody: older,
      Parameters: listed({ ...NODE, ...chosen, Former: 'yes' }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  const made = await settled(aws, ann, order.name);
  expect(made).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });

  const context = stepContextOf(aws, ann);
  const next = {
    ...order,
    template: order.template.replace(/^ {6}RetentionInDays: 3653$/m, '      RetentionInDays: 731'),
  };
  const found = await inspectStack(next, context);
  expect(found).toMatchObject({
    kind: 'other',
    changes: ['changes ConfigSigningLogs (AWS::Logs::LogGroup): RetentionInDays'],
  });
  const stack = await applyStack(next, context);
  expect(
    Object.fromEntries((stack.Parameters ?? []).map((one) => [one.ParameterKey, one.ParameterValue])),
  ).toMatchObject({ ...NODE, ...chosen });
  const { TemplateBody } = await ann.cloudFormation.send(new GetTemplateCommand({ StackName: order.name }));
  expect(TemplateBody).toBe(next.template);
  expect(outputsOf(stack)['GatewaySecretArn']).toBe(outputsOf(made)['GatewaySecretArn']);
  const locked = await ann.s3.send(
    new GetObjectLockConfigurationCommand({ Bucket: outputsOf(stack)['BucketName'] }),
  );
  expect(locked.ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: 'COMPLIANCE', Days: 7000 });
});
