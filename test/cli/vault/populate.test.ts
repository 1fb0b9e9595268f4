import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it } from 'vitest';
import { PARTS } from '../../admin/vault/sample-parts.ts';
import { makeSampleVault } from '../../admin/vault/sample-vault.ts';
import { ACCOUNT, type AwsAccount, startAccount } from '../aws-account.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const PREFIX = 'acme/production/wallet/';
const SECRET = `${PREFIX}postgres-node-1-password`;

let folder: ReturnType<typeof makeFolder>;
let account: AwsAccount;

beforeEach(async () => {
  folder = makeFolder();
  account = await startAccount(folder);
  const vault = makeSampleVault((change) => {
    change.infrastructure['account'] = ACCOUNT;
    change.infrastructure.admins = [`arn:aws:iam::${ACCOUNT}:role/admin`];
    change.parts = { store: PARTS.store };
  });
  folder.write('vault.yaml', JSON.stringify(vault));
});

function populate(...args: string[]) {
  const { PATH } = process.env;
  return runHoldfast(
    [
      'vault',
      'populate',
      '--vault',
      folder.at('vault.yaml'),
      ...(args.includes('--partition') ? [] : ['--partition', 'wallet']),
      ...account.args,
      ...args,
    ],
    { env: { PATH } },
  );
}

async function current(SecretId = SECRET): Promise<string | undefined> {
  const found = await account.secrets.send(new GetSecretValueCommand({ SecretId })).catch(() => undefined);
  return found?.SecretString;
}

describe('vault populate', () => {
  it('shows a plan, writes it on --yes, and changes nothing after that', async () => {
    const shown = await populate();
    expect(shown).toMatchObject({ exit: 0 });
    expect(shown.out).toContain(`+ ${SECRET}: new`);
    expect(shown.out).toContain('nothing was changed; --yes carries this out');
    expect(await current()).toBeUndefined();
    const done = await populate('--yes');
    expect(done).toMatchObject({ exit: 0 });
    expect(done.out).toContain('done, and read back');
    const value = await current();
    expect(value).toMatch(/^[\w-]{43}$/);
    expect(done.out + done.err + shown.out).not.toContain(value);
    const again = await populate('--yes');
    expect(again.out).toContain('generated before, kept');
    expect(again.out).toContain('nothing to do');
    expect(await current()).toBe(value);
  });

  it('rotates one, and says what has to be restarted', async () => {
    await populate('--yes');
    const value = await current();
    const { out, exit } = await populate('--rotate', 'postgres-node-1-password', '--yes', '--json');
    expect(exit).toBe(0);
    const { restart, plan } = JSON.parse(out) as { restart: { what: string }[]; plan: { action: string }[] };
    expect(plan.map(({ action }) => action)).toEqual(['rotate']);
    expect(restart[0]?.what).toContain('restart the parent of node 1');
    expect(await current()).not.toBe(value);
    expect(out).not.toContain(value);
    expect(refusalIn(await populate('--rotate', 'other', '--json')).code).toBe('POPULATE_NAME_UNKNOWN');
  });

  it('prints a template, which asks nobody for anything', async () => {
    const { out, exit } = await populate('--template');
    expect(exit).toBe(0);
    expect(out).toContain('postgres-node-1-password:');
    expect(account.events).toEqual([]);
    mkdirSync(folder.at('populate'));
    folder.write('populate/wallet.yaml', out, 0o600);
    expect((await populate('--yes')).exit).toBe(0);
  });

  it('takes a value from the sources beside vault.yaml, and refuses to replace it unasked', async () => {
    mkdirSync(folder.at('populate'));
    const write = (value: string): void => {
      folder.write('populate/password', `${value}\n`, 0o600);
      folder.write(
        'populate/wallet.yaml',
        'format: holdfast-populate/1\npartition: wallet\nvalues: { postgres-node-1-password: { file: password } }\n',
        0o600,
      );
    };
    write('a-password-of-ours');
    await populate('--yes');
    expect(await current()).toBe('a-password-of-ours');
    write('another-password-of-ours');
    expect(refusalIn(await populate('--yes', '--json'))).toMatchObject({ exit: 1, code: 'SECRET_EXISTS' });
    expect(await current()).toBe('a-password-of-ours');
    folder.write('populate/wallet.yaml', 'format: x', 0o666);
    expect(refusalIn(await populate('--yes', '--json')).code).toMatch(
      /^POPULATE_VALUES_(?:EXPOSED|MALFORMED)$/,
    );
  });

  it('refuses credentials of another account, another partition, and a file that is not there', async () => {
    const { aws } = account;
    const roleArn = aws.directory.defineRole({ accountId: '999999999999', roleName: 'stranger' });
    account.setProfile('admin', aws.directory.assumeRole({ roleArn, sessionName: 'eve' }));
    expect(refusalIn(await populate('--yes', '--json')).code).toBe('POPULATE_ACCOUNT');
    const unknown = await populate('--partition', 'node-9', '--json');
    expect(refusalIn(unknown).code).toBe('POPULATE_PARTITION_UNKNOWN');
    expect((await populate('--values', folder.at('none.yaml'))).exit).toBe(2);
  });
});

describe('what the administrator of the database runs', () => {
  const roles = (...args: string[]) => populate('--postgres', folder.at('postgres.sql'), ...args);

  it('is written once the passwords are there, for its owner alone, without a password in it', async () => {
    expect((await roles()).exit).toBe(0);
    expect(existsSync(folder.at('postgres.sql'))).toBe(false);
    const done = await roles('--yes');
    expect([done.exit, done.out]).toEqual([0, expect.stringContaining('postgres.sql: written')]);
    const text = readFileSync(folder.at('postgres.sql'), 'utf8');
    expect(statSync(folder.at('postgres.sql')).mode & 0o777).toBe(0o600);
    expect(text).not.toContain(await current());
    expect(text.match(/SCRAM-SHA-256\$/g)).toHaveLength(3);
    // Nothing is to do: it is written anew, and is the same.
    expect((await roles()).exit).toBe(0);
    expect(readFileSync(folder.at('postgres.sql'), 'utf8')).toBe(text);
    await roles('--rotate', 'postgres-node-1-password', '--yes');
    expect(readFileSync(folder.at('postgres.sql'), 'utf8')).not.toBe(text);
  });

  it('is of the wallet alone', async () => {
    expect((await populate('--partition', 'node-1', '--postgres', folder.at('x.sql'))).exit).toBe(2);
    expect((await populate('--postgres', '')).exit).toBe(2);
  });
});

describe('what needs no credentials', () => {
  it('is said before anybody asks for them', async () => {
    mkdirSync(folder.at('populate'));
    folder.write('populate/password', 'short\n', 0o600);
    folder.write(
      'populate/wallet.yaml',
      'format: holdfast-populate/1\npartition: wallet\nvalues: { postgres-node-1-password: { file: password } }\n',
      0o600,
    );
    account.setProfile('admin', { accessKeyId: 'AKIANOBODY0000000000', secretAccessKey: 'x' });
    expect(refusalIn(await populate('--yes', '--json')).code).toBe('POPULATE_VALUE_UNFIT');
  });
});
