import {
  CreateKeyCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { ACCOUNT, refusal, startStack } from './stack.ts';

it('a request for a policy tells its name to the policy, any other request none', async () => {
  const { admin } = await startStack();
  const statement = (Action: string, name?: string) => ({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/admin` },
    Action,
    Resource: '*',
    ...(name === undefined ? {} : { Condition: { StringEquals: { 'kms:PolicyName': name } } }),
  });
  const policy = (...statements: object[]): string =>
    JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const Policy = policy(statement('kms:PutKeyPolicy'), statement('kms:GetKeyPolicy', 'AWS_RAM'));
  const created = await admin.send(new CreateKeyCommand({ Policy }));
  const KeyId = created.KeyMetadata?.Arn;
  expect(await refusal(admin.send(new GetKeyPolicyCommand({ KeyId })))).toBe('AccessDeniedException');
  await admin.send(new PutKeyPolicyCommand({ KeyId, Policy: Policy.replace('AWS_RAM', 'default') }));
  const { Policy: read } = await admin.send(new GetKeyPolicyCommand({ KeyId }));
  expect(read).toContain('kms:PolicyName');
  const other = policy(statement('kms:PutKeyPolicy'), statement('kms:DescribeKey', 'default'));
  await admin.send(new PutKeyPolicyCommand({ KeyId, Policy: other }));
  expect(await refusal(admin.send(new DescribeKeyCommand({ KeyId })))).toBe('AccessDeniedException');
});
