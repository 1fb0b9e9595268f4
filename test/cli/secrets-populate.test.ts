import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
} from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSecretsManagerSecrets } from '../../parent/artifacts/secrets-manager.ts';
import { ACCOUNT, type AwsAccount, startAccount } from './aws-account.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder, makeKey, makeManifest } from './node-files.ts';

const NAME = 'encryptor-master-password' as const;
const PREFIX = 'acme/production/node-2/';
const SECRET_ID = `${PREFIX}${NAME}`;
/** What a KMS ciphertext looks like from outside. */
const BLOB = Buffer.concat([Buffer.from([1, 2, 3, 0]), randomBytes(180)]);
const OTHER = Buffer.concat([Buffer.from([1, 2, 3, 0]), randomBytes(180)]);

const READS = ['DescribeSecret', 'GetSecretValue'];

let folder: ReturnType<typeof makeFolder>;
let account: AwsAccount;

beforeEach(async () => {
  folder = makeFolder();
  account = await startAccount(folder);
  folder.write('manifest.json', makeManifest([makeKey().publicKey]).text);
  mkdirSync(folder.at('secrets'));
  folder.write(`secrets/${NAME}`, BLOB);
});

function populate(...args: string[]) {
  const from = args.includes('--from') ? [] : ['--from', folder.at('secrets')];
  const manifest = ['--manifest', folder.at('manifest.json')];
  return runHoldfast(['secrets', 'populate', ...manifest, ...from, ...account.args, ...args]);
}

async function planOf(...args: string[]): Promise<Record<string, unknown>[]> {
  const { out } = await populate('--json', ...args);
  return (JSON.parse(out) as { plan: Record<string, unknown>[] }).plan;
}

async function current(SecretId = SECRET_ID): Promise<Buffer> {
  const { SecretBinary } = await account.secrets.send(new GetSecretValueCommand({ SecretId }));
  return Buffer.from(SecretBinary ?? []);
}

const create = (SecretBinary?: Uint8Array, Name = SECRET_ID) =>
  account.secrets.send(new CreateSecretCommand({ Name, SecretBinary }));

/** What was asked for since the last time. */
function operations(): string[] {
  return account.events.splice(0).map(({ operation }) => operation);
}

describe('the plan', () => {
  it('is shown without changing anything', async () => {
    const { exit, out } = await populate();
    expect(exit).toBe(0);
    expect(out).toContain(`+ ${SECRET_ID}: new`);
    expect(out).toContain('nothing was changed');
    expect(out).toContain(`secretsmanager:${PREFIX}`);
    expect(operations().every((operation) => READS.includes(operation))).toBe(true);
    expect((await account.secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
  });

  it('says what would happen to what is there', async () => {
    const made = await create(OTHER);
    expect(await planOf()).toMatchObject([
      {
        name: NAME,
        secretId: SECRET_ID,
        action: 'conflict',
        reason: 'another value',
        current: made.VersionId,
      },
    ]);
    expect(await planOf('--rotate', NAME)).toMatchObject([{ action: 'rotate' }]);
    folder.write(`secrets/${NAME}`, OTHER);
    expect(await planOf('--rotate', NAME)).toMatchObject([{ action: 'unchanged' }]);
    expect(await current()).toEqual(OTHER);
  });

  it('exits 0 with a conflict in it, and says how to solve it', async () => {
    await create(OTHER);
    const { exit, out } = await populate();
    expect(exit).toBe(0);
    expect(out).toContain(`--rotate ${NAME}`);
  });
});

describe('holdfast secrets populate --apply', () => {
  it('puts the blob where the parent reads it', async () => {
    const { exit, out } = await populate('--apply');
    expect(exit).toBe(0);
    expect(out).toContain('read back');
    const source = createSecretsManagerSecrets({ client: account.secrets, prefix: PREFIX });
    expect(Buffer.from((await source.get(NAME, new AbortController().signal)) ?? [])).toEqual(BLOB);
  });

  it('writes nothing the second time', async () => {
    await populate('--apply');
    operations();
    expect((await populate('--apply')).out).toContain('nothing to do');
    expect(operations().every((operation) => READS.includes(operation))).toBe(true);
  });

  it('refuses to overwrite, and writes nothing at all', async () => {
    await create(OTHER);
    operations();
    expect(refusalIn(await populate('--apply', '--json'))).toMatchObject({
      exit: 1,
      code: 'SECRET_EXISTS',
      details: { name: NAME, reason: 'another value' },
    });
    expect(operations().every((operation) => READS.includes(operation))).toBe(true);
    expect(await current()).toEqual(OTHER);
  });

  it('replaces what --rotate names, and keeps the former value as the previous one', async () => {
    const made = await create(OTHER);
    const { exit, out } = await populate('--apply', '--rotate', NAME);
    expect(exit).toBe(0);
    expect(out).toContain('WARNING');
    expect(await current()).toEqual(BLOB);
    const { VersionIdsToStages } = await account.secrets.send(
      new DescribeSecretCommand({ SecretId: SECRET_ID }),
    );
    expect(VersionIdsToStages?.[made.VersionId ?? '']).toEqual(['AWSPREVIOUS']);
  });

  it('can put back what a rotation replaced', async () => {
    await create(BLOB);
    folder.write(`secrets/${NAME}`, OTHER);
    await populate('--apply', '--rotate', NAME);
    folder.write(`secrets/${NAME}`, BLOB);
    expect((await populate('--apply', '--rotate', NAME)).exit).toBe(0);
    expect(await current()).toEqual(BLOB);
  });

  it('fills a secret that somebody has made without a value', async () => {
    await create();
    expect(await planOf()).toMatchObject([{ action: 'fill' }]);
    expect((await populate('--apply')).exit).toBe(0);
    expect(await current()).toEqual(BLOB);
  });

  it('takes text that is there for what it is: never overwritten either', async () => {
    await account.secrets.send(new CreateSecretCommand({ Name: SECRET_ID, SecretString: 'a password' }));
    const finished = await populate('--apply', '--json');
    expect(refusalIn(finished)).toMatchObject({
      code: 'SECRET_EXISTS',
      details: { reason: 'text instead of a ciphertext' },
    });
    expect(finished.out).not.toContain('a password');
  });

  it('leaves other secrets alone, those of the node and those of others', async () => {
    const others = [`${PREFIX}tls`, 'acme/production/node-1/encryptor-master-password', 'elsewhere'];
    for (const name of others) await create(OTHER, name);
    await populate('--apply', '--rotate', NAME);
    for (const name of others) expect(await current(name)).toEqual(OTHER);
    const { SecretList = [] } = await account.secrets.send(new ListSecretsCommand({}));
    expect(new Set(SecretList.map(({ Name }) => Name))).toEqual(new Set([...others, SECRET_ID]));
  });

  it('takes another prefix', async () => {
    expect((await populate('--apply', '--prefix', 'holdfast/')).exit).toBe(0);
    expect(await current(`holdfast/${NAME}`)).toEqual(BLOB);
  });

  it('takes a file by its name, or with its name', async () => {
    await populate('--apply', '--from', folder.at(`secrets/${NAME}`));
    expect(await current()).toEqual(BLOB);
    folder.write('blob.bin', OTHER);
    const from = `${NAME}=${folder.at('blob.bin')}`;
    expect((await populate('--apply', '--rotate', NAME, '--from', from)).exit).toBe(0);
    expect(await current()).toEqual(OTHER);
  });
});

describe('what populate is given', () => {
  it.each([
    ['a password', randomBytes(32)],
    ['a password in hex', Buffer.from(randomBytes(64).toString('hex'))],
    ['a blob in base64', Buffer.from(BLOB.toString('base64'))],
    ['nothing', Buffer.alloc(0)],
  ])('%s is no ciphertext, and never leaves the machine', async (_, content) => {
    folder.write(`secrets/${NAME}`, content);
    expect(refusalIn(await populate('--apply', '--json'))).toMatchObject({
      exit: 1,
      code: 'SECRET_NOT_CIPHERTEXT',
    });
    expect(account.events).toEqual([]);
  });

  it('may be too long', async () => {
    folder.write(`secrets/${NAME}`, randomBytes(9000));
    expect(refusalIn(await populate('--apply', '--json'))).toMatchObject({
      exit: 1,
      code: 'INPUT_TOO_LARGE',
    });
  });

  it('may hold other files, which are named and left', async () => {
    folder.write('secrets/notes\u001b[2J.txt', 'x');
    const { exit, out } = await populate('--apply');
    expect(exit).toBe(0);
    expect(out).toContain('ignored');
    expect(out).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('may be more than the caller has rights for', async () => {
    const roleArn = account.aws.directory.defineRole({ accountId: ACCOUNT, roleName: 'reader' });
    account.setProfile('reader', account.aws.directory.assumeRole({ roleArn, sessionName: 'reader' }));
    const [, , ...rest] = account.args;
    const finished = await runHoldfast([
      'secrets',
      'populate',
      '--manifest',
      folder.at('manifest.json'),
      '--from',
      folder.at('secrets'),
      '--json',
      '--aws-profile',
      'reader',
      ...rest,
    ]);
    expect(refusalIn(finished)).toMatchObject({
      exit: 1,
      code: 'AWS_REFUSED',
      details: { operation: 'secretsmanager:DescribeSecret', error: 'AccessDeniedException' },
    });
  });

  it.each([
    ['a file whose name is no secret', () => ['--from', folder.at('blob.bin')]],
    ['a name that is no secret', () => ['--from', `tls=${folder.at('blob.bin')}`]],
    [
      'the same secret twice',
      () => ['--from', `${NAME}=${folder.at('blob.bin')}`, '--from', `${NAME}=${folder.at('blob.bin')}`],
    ],
    ['a file that is not there', () => ['--from', `${NAME}=${folder.at('nothing')}`]],
    ['a folder without secrets', () => ['--from', folder.at('empty')]],
    ['a rotation of what --from does not have', () => ['--rotate', 'tls']],
    ['a prefix that Secrets Manager does not take', () => ['--prefix', 'a b']],
    ['a Region that is none', () => ['--region', 'Frankfurt.example']],
  ])('is a usage error: %s', async (_, args) => {
    folder.write('blob.bin', BLOB);
    mkdirSync(folder.at('empty'));
    expect((await populate(...args())).exit).toBe(2);
    expect(account.events).toEqual([]);
  });
});
