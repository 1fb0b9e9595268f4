import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../local/aws/index.ts';
import { startLocalAws } from '../../local/testbed/local-aws.ts';
import type { Report } from '../../deploy/first-contact/run.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/first-contact');
const ACCOUNTS = { node: '111111111111', infrastructure: '444455556666' };

it('finds at the stand-in what it expects of AWS, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'first-contact-'));
  await using aws = Object.assign(await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) }), {
    [Symbol.asyncDispose]: () => aws.close(),
  });
  let credentials = '';
  for (const [profile, accountId] of Object.entries(ACCOUNTS)) {
    const roleArn = aws.directory.defineRole({
      accountId,
      roleName: 'admin',
      policies: [ADMINISTRATOR_POLICY],
    });
    const session = aws.directory.assumeRole({ roleArn, sessionName: 'contact' });
    credentials += `[${profile}]\naws_access_key_id = ${session.accessKeyId}\naws_secret_access_key = ${session.secretAccessKey}\naws_session_token = ${session.sessionToken ?? ''}\n\n`;
  }
  await writeFile(join(folder, 'credentials'), credentials, { mode: 0o600 });
  await writeFile(join(folder, 'ca.pem'), aws.caPem);
  const output = join(folder, 'report');
  const args = [
    '--node-profile',
    'node',
    '--infrastructure-profile',
    'infrastructure',
    '--region',
    'eu-central-1',
  ];
  const where = ['--endpoint', `https://localhost:${aws.port}`, '--ca', join(folder, 'ca.pem')];
  const env = {
    ...process.env,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'none'),
  };
  const run = promisify(execFile)(SCRIPT, [...args, ...where, '--output', output, '--yes'], { env });
  const { code } = await run.then(
    () => ({ code: 0 }),
    (error: { code: number }) => error,
  );
  const report = JSON.parse(await readFile(`${output}.json`, 'utf8')) as Report;
  expect(report.findings.filter(({ outcome }) => outcome !== 'holds' && outcome !== 'not looked')).toEqual(
    [],
  );
  expect(report.left).toEqual([]);
  expect(report.findings.filter(({ outcome }) => outcome === 'holds')).toHaveLength(16);
  expect(code).toBe(0);
}, 300_000);
