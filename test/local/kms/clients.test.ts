import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { clientSource, findClient } from './clients.ts';
import { ACCOUNT, REGION, startStack } from './stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const python = findClient('python');
const go = findClient('go');
const java = findClient('java');

/** What each client has to see, whatever its language: the values are AWS's names, from the model of its service. */
const SEEN = {
  decrypted: 'a message',
  tags: ['CreatedBy'],
  rotates: false,
  disabled: 'DisabledException',
  verified: true,
  forged: 'KMSInvalidSignatureException',
  publicKey: 'ECC_SECG_P256K1',
  mac: true,
  pair: true,
  grants: [true],
  listed: 3,
  notFound: 'NotFoundException',
  invalid: 'ValidationException',
  pending: 'PendingDeletion',
};

let folder: string;
let environment: NodeJS.ProcessEnv;
let caBundle: string;

beforeEach(async () => {
  const { aws } = await startStack();
  folder = temporaryFolder();
  caBundle = join(folder, 'ca.pem');
  writeFileSync(caBundle, aws.caPem);
  const user = { accountId: ACCOUNT, userName: 'ann', policies: [ADMINISTRATOR_POLICY] };
  const { accessKeyId, secretAccessKey } = aws.directory.createAccessKey(user);
  // Nothing of the machine's own: no profile of whoever runs this, no metadata service.
  environment = {
    PATH: process.env['PATH'],
    HOME: folder,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL_KMS: `https://localhost:${aws.port}`,
    AWS_CA_BUNDLE: caBundle,
    // What Go reads instead.
    SSL_CERT_FILE: caBundle,
  };
});

async function saw(program: string, args: readonly string[] = []): Promise<unknown> {
  const { stdout } = await run(program, args, { env: environment, cwd: folder });
  return JSON.parse(stdout);
}

describe('the KMS stand-in', () => {
  it.skipIf(python === undefined)('serves boto3', async () => {
    const script = clientSource('python', 'client.py');
    expect(await saw(join(python ?? '', 'bin/python'), [script])).toEqual({
      ...SEEN,
      aliases: ['alias/boto3'],
    });
  });

  it.skipIf(go === undefined)('serves AWS’s SDK for Go', async () => {
    expect(await saw(join(go ?? '', 'client'))).toEqual({ ...SEEN, aliases: ['alias/go'] });
  });

  it.skipIf(java === undefined)('serves AWS’s SDK for Java', async () => {
    const store = join(folder, 'trust.p12');
    const password = 'changeit';
    await run(
      'keytool',
      ['-importcert', '-noprompt', '-alias', 'ca', '-file', caBundle, '-keystore', store].concat(
        '-storepass',
        password,
      ),
    );
    const folderOfClient = java ?? '';
    const seen = await saw('java', [
      `-Djavax.net.ssl.trustStore=${store}`,
      `-Djavax.net.ssl.trustStorePassword=${password}`,
      '-cp',
      `${folderOfClient}:${folderOfClient}/lib/*`,
      'Client',
    ]);
    expect(seen).toEqual({ ...SEEN, aliases: ['alias/java'] });
  });

  it.skipIf(python === undefined)('serves the AWS CLI', async () => {
    const aws = (...args: string[]) =>
      saw(join(python ?? '', 'bin/aws'), ['kms', ...args, '--output', 'json']);
    const made = (await aws('create-key', '--tags', 'TagKey=CreatedBy,TagValue=cli')) as {
      KeyMetadata: { KeyId: string };
    };
    const key = ['--key-id', made.KeyMetadata.KeyId];
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'a message');
    const sealed = (await aws('encrypt', ...key, '--plaintext', `fileb://${secret}`)) as {
      CiphertextBlob: string;
    };
    const blob = join(folder, 'blob');
    writeFileSync(blob, Buffer.from(sealed.CiphertextBlob, 'base64'));
    const opened = (await aws('decrypt', '--ciphertext-blob', `fileb://${blob}`)) as { Plaintext: string };
    expect(Buffer.from(opened.Plaintext, 'base64').toString()).toBe('a message');
    expect(await aws('list-key-policies', ...key)).toMatchObject({ PolicyNames: ['default'] });
    expect(await aws('list-resource-tags', ...key)).toMatchObject({ Tags: [{ TagKey: 'CreatedBy' }] });
    const refused = await aws('put-key-policy', ...key, '--policy', '{}').catch(
      (error: { stderr?: string }) => error.stderr,
    );
    expect(refused).toContain('(MalformedPolicyDocumentException)');
  });
});
