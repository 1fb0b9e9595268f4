import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readTemplate } from '../../../deploy/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { ofOneNode, type PlayedRole, type VaultTestbed } from '../../../local/testbed/vault/index.ts';
import { openTestbed } from './support/open-testbed.ts';

let testbed: VaultTestbed;
let template: string;
beforeAll(async () => {
  template = await readTemplate('node');
});
beforeEach(async () => {
  testbed = await openTestbed({ change: ofOneNode });
});
afterEach(async () => {
  await testbed.close();
});

/** Whoever plays has the release. */
async function fetched(role: PlayedRole) {
  const person = testbed.person(role);
  expect(await person.run('vault', 'fetch', '--vault', 'vault.yaml')).toMatchObject({ exit: 0 });
  return person;
}

const refusal = (code: string) => ({ exit: 1, said: { error: { code } } });

describe('vault apply', { timeout: 300_000 }, () => {
  it('refuses a run beside another one of the same role, on this machine and on another', async () => {
    const first = await fetched('node-1');
    const { ended, child } = first.start(...testbed.argumentsOf('apply', 'node-1'));
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', (text: string) => {
        if (text.includes('begins node-1/kms-stack')) resolve();
      });
    });
    // The first run stands still in the middle, so that it is there for certain while the others come.
    child.kill('SIGSTOP');
    expect(await first.run(...testbed.argumentsOf('plan', 'node-1'))).toMatchObject(refusal('VAULT_LOCKED'));
    child.kill('SIGCONT');
    const second = await testbed.seatSecond('node-1');
    const [one, other] = [await ended, await second.run(...testbed.argumentsOf('apply', 'node-1'))];
    expect(one).toMatchObject({ exit: 0 });
    // Who comes late is told so, or finds all of it done.
    if (other.exit !== 0) expect(['VAULT_STACK_BUSY', 'STATEMENT_OLDER']).toContain(other.said.error?.code);
    expect(await second.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject({ exit: 0 });
    expect(await testbed.countCreated('node-1', 'acme-production-node-1', 'AWS::KMS::Key')).toBe(2);
    expect(await testbed.readStatement('node-1', 'kms-stack')).toMatchObject({ sequence: 1 });
  });

  it('says that credentials have expired in the middle of a change, and goes on with others', async () => {
    const person = await fetched('node-1');
    testbed.onRequest(({ operation }) => {
      if (operation === 'ExecuteChangeSet') testbed.expireCredentials('node-1');
    });
    expect(await person.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject(
      refusal('AWS_CREDENTIALS_EXPIRED'),
    );
    testbed.onRequest(() => {});
    await person.signIn();
    expect(await person.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject({ exit: 0 });
    expect(await testbed.countCreated('node-1', 'acme-production-node-1', 'AWS::KMS::Key')).toBe(2);
  });

  it('makes a stack anew whose first attempt has failed, once the cause is mended', async () => {
    const person = await fetched('node-1');
    const role = { accountId: testbed.accountOf('node-1'), roleName: 'admin-of-1' };
    const denied = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Action: 's3:PutBucketPolicy',
          Resource: '*',
        },
      ],
    });
    testbed.aws.directory.defineRole({ ...role, policies: [ADMINISTRATOR_POLICY, denied] });
    const failed = await person.run(...testbed.argumentsOf('apply', 'node-1'));
    expect(failed).toMatchObject(refusal('VAULT_STACK_FAILED'));
    expect(failed.said.error?.details).toMatchObject({ cause: { type: 'AWS::S3::BucketPolicy' } });
    testbed.aws.directory.defineRole({ ...role, policies: [ADMINISTRATOR_POLICY] });
    const planned = await person.run(...testbed.argumentsOf('plan', 'node-1'));
    expect(JSON.stringify(planned.said)).toContain('removes the empty stack acme-production-node-1');
    expect(await person.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject({ exit: 0 });
    expect(await testbed.readStatement('node-1', 'kms-stack')).toMatchObject({ sequence: 1 });
  });

  it('refuses what would remove a bucket that somebody has put into the stack', async () => {
    const person = await fetched('node-1');
    const client = new CloudFormationClient(testbed.clientOptions('node-1'));
    const more = '  Archive:\n    Type: AWS::S3::Bucket\n\nOutputs:\n';
    await client.send(
      new CreateStackCommand({
        StackName: 'acme-production-node-1',
        TemplateBody: template.replace(/^Outputs:\n/m, () => more),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        Parameters: Object.entries({
          Namespace: 'acme',
          Environment: 'production',
          NodeIndex: '1',
          WalletAccountId: '444455556666',
          AdminArns: ['admin', 'second'].map((name) => `arn:aws:iam::111111111111:role/${name}-of-1`).join(),
        }).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
      }),
    );
    await testbed.aws.cloudFormation.settled();
    const refused = await person.run(...testbed.argumentsOf('apply', 'node-1'));
    expect(refused).toMatchObject(refusal('VAULT_WOULD_DESTROY'));
    expect(JSON.stringify(refused.said)).toContain('removes Archive (AWS::S3::Bucket)');
    expect(await person.run(...testbed.argumentsOf('plan', 'node-1'))).toMatchObject({ exit: 1 });
  });

  it('refuses another key, another account, a statement that was changed, and a folder that was rolled back', async () => {
    const person = await fetched('node-1');
    const wrongKey = testbed
      .argumentsOf('apply', 'node-1')
      .map((word) => word.replace('node-1.pem', 'infrastructure.pem'));
    expect(await person.run(...wrongKey)).toMatchObject(refusal('STATEMENT_KEY_WRONG'));
    const [own, theirs] = [join(person.folder, 'aws-credentials'), testbed.person('infrastructure').folder];
    await copyFile(join(theirs, 'aws-credentials'), own);
    expect(await person.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject(
      refusal('VAULT_OTHER_ACCOUNT'),
    );
    await person.signIn();
    expect(await person.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject({ exit: 0 });
    const statement = join(testbed.exchange, 'node-1/nonce.json');
    const text = await readFile(statement, 'utf8');
    await writeFile(
      statement,
      text.replace(/"sig": "./, (found) => `${found.slice(0, -1)}${found.endsWith('A') ? 'B' : 'A'}`),
    );
    expect(await person.run('vault', 'status')).toMatchObject({ exit: 1 });
    await rm(statement);
    expect(await person.run(...testbed.argumentsOf('apply', 'node-1'))).toMatchObject(
      refusal('STATEMENT_OLDER'),
    );
    await writeFile(statement, text);
    expect(await person.run('vault', 'status')).toMatchObject({ exit: 0 });
  });
});
