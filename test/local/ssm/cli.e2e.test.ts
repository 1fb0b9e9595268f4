import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { findClient } from '../kms/clients.ts';
import { ACCOUNT, addHost, HOST, REGION, start } from './support.ts';

const python = findClient('python');
const run = promisify(execFile);

describe('Systems Manager', () => {
  it.skipIf(python === undefined)('serves the AWS CLI, its waiter too', async () => {
    const aws = await start();
    addHost(aws);
    const { accessKeyId, secretAccessKey } = aws.directory.createAccessKey({
      accountId: ACCOUNT,
      userName: 'ann',
      policies: [ADMINISTRATOR_POLICY],
    });
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ca.pem'), aws.caPem);
    const cli = async (...args: string[]) => {
      const { stdout } = await run(join(python ?? '', 'bin/aws'), ['ssm', ...args, '--output', 'json'], {
        env: {
          HOME: folder,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_REGION: REGION,
          AWS_DEFAULT_REGION: REGION,
          AWS_ENDPOINT_URL: `https://localhost:${aws.port}`,
          AWS_CA_BUNDLE: join(folder, 'ca.pem'),
        },
      });
      return stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, Record<string, string>>);
    };
    const document = ['--document-name', 'AWS-RunShellScript', '--instance-ids', HOST];
    const sent = await cli('send-command', ...document, '--parameters', 'commands=["do this"]');
    const id = sent?.['Command']?.['CommandId'] ?? '';
    const which = ['--command-id', id, '--instance-id', HOST];
    await cli('wait', 'command-executed', ...which);
    expect(await cli('get-command-invocation', ...which)).toMatchObject({
      Status: 'Success',
      StandardOutputContent: 'ran do this',
    });
  });
});
