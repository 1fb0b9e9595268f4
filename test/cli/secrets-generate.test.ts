import { DecryptCommand } from '@aws-sdk/client-kms';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { StateStore } from '../../local/aws/state.ts';
import { openAuthority } from '../../local/aws/tls.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { ACCOUNT, type AwsAccount, REGION, startAccount } from './aws-account.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder, makeKey, makeManifest } from './node-files.ts';

const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const ADMINISTRATION = {
  Sid: 'Administration',
  Effect: 'Allow',
  Principal: { AWS: ADMIN },
  Action: ['kms:PutKeyPolicy', 'kms:GetKeyPolicy', 'kms:DescribeKey'],
  Resource: '*',
};
/** A test wants to look inside; no policy of a node has this. */
const OPEN_ALL = { ...ADMINISTRATION, Sid: 'Look', Action: ['kms:Decrypt'] };

let folder: ReturnType<typeof makeFolder>;
let account: AwsAccount;
let manifest: Manifest;
let blob: string;

beforeEach(async () => {
  folder = makeFolder();
  account = await startAccount(folder);
  blob = folder.at('encryptor-master-password');
});

async function provision(...statements: object[]): Promise<string> {
  const keyArn = await account.createKey({
    Version: '2012-10-17',
    Statement: [ADMINISTRATION, ...statements],
  });
  writeManifest({ kms: { keyArn, region: REGION } });
  return keyArn;
}

function writeManifest(changes: Partial<Manifest>): void {
  const made = makeManifest([makeKey().publicKey], changes);
  manifest = made.manifest;
  folder.write('manifest.json', made.text);
}

const generate = (...args: string[]) =>
  runHoldfast(['secrets', 'generate', '--manifest', folder.at('manifest.json'), ...account.args, ...args]);

async function statementOf(): Promise<object> {
  const { out } = await generate('--statement', '--principal', ADMIN);
  return JSON.parse(out) as object;
}

/** The statement does not depend on the key. */
async function provisionAsTold(...more: object[]): Promise<string> {
  await provision();
  return await provision(await statementOf(), ...more);
}

function decrypt(context: Record<string, string> = encryptionContext(manifest, PASSWORD_SECRET)) {
  return account.kms.send(
    new DecryptCommand({
      KeyId: manifest.kms.keyArn,
      CiphertextBlob: readFileSync(blob),
      EncryptionContext: context,
    }),
  );
}

describe('holdfast secrets generate', () => {
  it("writes the ciphertext of 32 random bytes, made by KMS under the manifest's key and context", async () => {
    await provisionAsTold(OPEN_ALL);
    const { exit, out, err } = await generate('--output', blob);
    expect([exit, err]).toEqual([0, '']);
    expect(statSync(blob).mode & 0o777).toBe(0o600);
    const { Plaintext = new Uint8Array() } = await decrypt();
    expect(Plaintext).toHaveLength(32);
    expect(new Set(Plaintext).size).toBeGreaterThan(8);
    for (const encoding of ['hex', 'base64'] as const) {
      expect(out).not.toContain(Buffer.from(Plaintext).toString(encoding));
    }
    expect(out).toContain(PASSWORD_SECRET);
    expect(readdirSync(folder.path).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('makes another password every time', async () => {
    await provisionAsTold(OPEN_ALL);
    await generate('--output', blob);
    const first = await decrypt();
    await generate('--output', blob, '--rotate');
    expect((await decrypt()).Plaintext).not.toEqual(first.Plaintext);
  });

  it('makes a blob that opens for no other node or purpose', async () => {
    await provisionAsTold(OPEN_ALL);
    await generate('--output', blob);
    const context = encryptionContext(manifest, PASSWORD_SECRET);
    for (const [name, value] of Object.entries(context)) {
      await expect(decrypt({ ...context, [name]: `${value}0` })).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      });
    }
  });

  it('says in JSON what a script needs', async () => {
    const keyArn = await provisionAsTold();
    const { out } = await generate('--output', blob, '--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      output: blob,
      length: readFileSync(blob).length,
      name: PASSWORD_SECRET,
      secretId: `acme/production/node-2/${PASSWORD_SECRET}`,
      keyArn,
      encryptionContext: encryptionContext(manifest, PASSWORD_SECRET),
    });
  });

  it('never overwrites a file, and does not even ask KMS', async () => {
    await provisionAsTold();
    folder.write('encryptor-master-password', 'the only copy');
    account.events.length = 0;
    expect(refusalIn(await generate('--output', blob, '--json'))).toMatchObject({
      exit: 1,
      code: 'SECRET_EXISTS',
    });
    expect(readFileSync(blob, 'utf8')).toBe('the only copy');
    expect(account.events).toEqual([]);
  });

  it('takes a dangling link for a file that is there', async () => {
    await provisionAsTold();
    symlinkSync(folder.at('elsewhere'), blob);
    expect(refusalIn(await generate('--output', blob, '--json')).code).toBe('SECRET_EXISTS');
  });

  it('keeps the former ciphertext beside the new one', async () => {
    await provisionAsTold();
    await generate('--output', blob);
    const first = readFileSync(blob);
    const { out, exit } = await generate('--output', blob, '--rotate', '--json');
    expect(exit).toBe(0);
    const { former } = JSON.parse(out) as { former: string };
    expect(readFileSync(former)).toEqual(first);
    expect(readFileSync(blob)).not.toEqual(first);
    expect(statSync(blob).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind when KMS refuses, and what is there stays', async () => {
    await provision();
    expect(refusalIn(await generate('--output', blob, '--json'))).toMatchObject({
      exit: 1,
      code: 'AWS_REFUSED',
      details: { operation: 'kms:GenerateDataKeyWithoutPlaintext', error: 'AccessDeniedException' },
    });
    expect(readdirSync(folder.path)).not.toContain('encryptor-master-password');
    folder.write('encryptor-master-password', 'the only copy');
    expect((await generate('--output', blob, '--rotate')).exit).toBe(1);
    expect(readFileSync(blob, 'utf8')).toBe('the only copy');
  });

  it('refuses a key that is not there', async () => {
    writeManifest({});
    expect(refusalIn(await generate('--output', blob, '--json')).code).toBe('AWS_REFUSED');
  });

  it('asks in the Region of the key, whatever the environment says', async () => {
    await provisionAsTold();
    vi.stubEnv('AWS_REGION', 'us-east-1');
    expect((await generate('--output', blob)).exit).toBe(0);
  });

  it('refuses a server that no trusted authority vouches for, and one that is not there', async () => {
    await provisionAsTold();
    const args = [
      'secrets',
      'generate',
      '--manifest',
      folder.at('manifest.json'),
      '--output',
      blob,
      '--json',
    ];
    const endpoint = ['--aws-profile', 'admin', '--endpoint', `https://localhost:${account.aws.port}`];
    expect(refusalIn(await runHoldfast([...args, ...endpoint])).code).toBe('AWS_UNREACHABLE');
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    expect(refusalIn(await runHoldfast([...args, ...endpoint])).code).toBe('AWS_UNREACHABLE');
    const nowhere = ['--aws-profile', 'admin', '--endpoint', 'https://localhost:1'];
    expect(refusalIn(await runHoldfast([...args, ...nowhere])).details).toMatchObject({
      error: 'ECONNREFUSED',
    });
  });

  it('sends no password in the clear to an endpoint that the environment names', async () => {
    await provisionAsTold();
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const finished = await runHoldfast([
      'secrets',
      'generate',
      '--manifest',
      folder.at('manifest.json'),
      '--output',
      blob,
      '--aws-profile',
      'admin',
      '--json',
    ]);
    expect(refusalIn(finished).code).toBe('AWS_UNREACHABLE');
    expect(requests).toBe(0);
  });

  it('refuses to go on without credentials', async () => {
    await provisionAsTold();
    const [, , ...rest] = account.args;
    const finished = await runHoldfast([
      'secrets',
      'generate',
      '--manifest',
      folder.at('manifest.json'),
      '--output',
      blob,
      ...rest,
      '--aws-profile',
      'nobody',
      '--json',
    ]);
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'AWS_CREDENTIALS' });
  });

  it.each([
    ['no output', []],
    ['standard output', ['--output', '-']],
    ['an endpoint in the clear', ['--output', 'x', '--endpoint', 'http://localhost:1']],
    ['an endpoint that is none', ['--output', 'x', '--endpoint', 'localhost']],
    ['a principal that is none', ['--statement', '--principal', 'ann']],
  ])('calls %s a usage error', async (_, args) => {
    writeManifest({});
    const base = ['secrets', 'generate', '--manifest', folder.at('manifest.json')];
    expect((await runHoldfast([...base, ...args])).exit).toBe(2);
  });

  it('refuses a malformed manifest: exit 1', async () => {
    folder.write('manifest.json', '{}');
    expect(refusalIn(await generate('--output', blob, '--json')).code).toBe('MANIFEST_MALFORMED');
  });

  it('calls a folder that is not there a usage error, before it asks KMS for anything', async () => {
    await provisionAsTold();
    account.events.length = 0;
    expect((await generate('--output', folder.at('nowhere/blob'))).exit).toBe(2);
    mkdirSync(folder.at('folder'));
    expect((await generate('--output', folder.at('folder'), '--rotate')).exit).toBe(2);
    expect(account.events).toEqual([]);
  });
});

describe('a KMS of its own mind', () => {
  const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/12345678-1234-1234-1234-123456789012`;

  /** Generates against a server with a good certificate that answers every request like this. */
  async function generateAgainst(
    answer: { KeyId: string | undefined; CiphertextBlob: string | undefined },
    meanwhile: () => void = () => {},
  ) {
    const authority = openAuthority(new StateStore(), Date.now());
    const server = createTlsServer({ ...authority.localhost }, (request, response) => {
      request.resume();
      meanwhile();
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    writeManifest({ kms: { keyArn: KEY, region: REGION } });
    const ca = folder.write('other-ca.pem', authority.caPem);
    const endpoint = `https://localhost:${(server.address() as AddressInfo).port}`;
    const aws = ['--aws-profile', 'admin', '--endpoint', endpoint, '--ca', ca];
    const manifest = ['--manifest', folder.at('manifest.json')];
    return await runHoldfast(['secrets', 'generate', ...manifest, '--output', blob, '--json', ...aws]);
  }

  it.each([
    ['for another key', KEY.replace('1234-12', '1234-13'), randomBytes(184), 'KMS_OTHER_KEY'],
    ['for no key', undefined, randomBytes(184), 'KMS_OTHER_KEY'],
    ['that is too short', KEY, randomBytes(32), 'SECRET_NOT_CIPHERTEXT'],
    ['that is text', KEY, Buffer.from('text '.repeat(50)), 'SECRET_NOT_CIPHERTEXT'],
    ['without a ciphertext', KEY, undefined, 'SECRET_NOT_CIPHERTEXT'],
  ])('gives an answer %s, which is refused and not written', async (_, KeyId, ciphertext, code) => {
    const finished = await generateAgainst({ KeyId, CiphertextBlob: ciphertext?.toString('base64') });
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code });
    expect(readdirSync(folder.path)).not.toContain('encryptor-master-password');
  });

  it('takes so long that somebody else has written the file, which stays', async () => {
    const answer = { KeyId: KEY, CiphertextBlob: randomBytes(184).toString('base64') };
    const finished = await generateAgainst(answer, () =>
      folder.write('encryptor-master-password', 'the only copy'),
    );
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'SECRET_EXISTS' });
    expect(readFileSync(blob, 'utf8')).toBe('the only copy');
    expect(readdirSync(folder.path).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

describe('the statement that is printed', () => {
  it('lets its principal have a password made in the context of this node, and nothing else', async () => {
    await provisionAsTold();
    expect((await generate('--output', blob)).exit).toBe(0);
    const { kms } = manifest;
    writeManifest({ kms, node: 1 });
    expect(refusalIn(await generate('--output', folder.at('other'), '--json')).details).toMatchObject({
      error: 'AccessDeniedException',
    });
  });

  it('lets nobody else have one made', async () => {
    await provisionAsTold();
    const roleArn = account.aws.directory.defineRole({ accountId: ACCOUNT, roleName: 'parent' });
    account.setProfile('admin', account.aws.directory.assumeRole({ roleArn, sessionName: 'parent' }));
    folder.write('credentials-2', readFileSync(folder.at('credentials')));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', folder.at('credentials-2'));
    expect(refusalIn(await generate('--output', blob, '--json')).details).toMatchObject({
      error: 'AccessDeniedException',
    });
  });

  it("names the key's account where nobody is named", async () => {
    writeManifest({});
    const { out, exit } = await generate('--statement', '--json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      keyArn: manifest.kms.keyArn,
      statement: {
        Action: 'kms:GenerateDataKeyWithoutPlaintext',
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/WHOEVER-RUNS-THIS` },
      },
    });
    expect(account.events).toEqual([]);
  });
});
