import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { playCanton } from './canton.ts';
import { findClient, KmsClients, SEEN } from './clients.ts';
import { expectDigestSigned, type SignatorySeen } from './signatory.ts';
import { ACCOUNT, REGION, startStack } from './stack.ts';

const python = findClient('python');
const go = findClient('go');
const java = findClient('java');
const cosign = findClient('cosign');

let clients: KmsClients;

beforeEach(async () => {
  const { aws } = await startStack();
  const user = { accountId: ACCOUNT, userName: 'ann', policies: [ADMINISTRATOR_POLICY] };
  const { accessKeyId, secretAccessKey } = aws.directory.createAccessKey(user);
  const endpoint = `https://localhost:${aws.port}`;
  clients = new KmsClients({ endpoint, region: REGION, accessKeyId, secretAccessKey, caPem: aws.caPem });
});

describe('the KMS stand-in', () => {
  it.skipIf(python === undefined)('serves boto3', async () => {
    expect(await clients.python(python ?? '')).toEqual({ ...SEEN, aliases: ['alias/boto3'] });
  });

  it.skipIf(go === undefined)('serves AWS’s SDK for Go', async () => {
    expect(await clients.go(go ?? '')).toEqual({ ...SEEN, aliases: ['alias/go'] });
    // The keys that the walk has left: for encryption and pending deletion, secp256k1, HMAC.
    const seen = (await clients.go(go ?? '', 'signatory')) as SignatorySeen;
    expect(seen).toMatchObject({ listed: 3, truncated: false, keys: [{ kind: 'tz2' }] });
    expect([...seen.skipped].sort()).toEqual(['KMSInvalidStateException', 'UnsupportedOperationException']);
    seen.keys.forEach(expectDigestSigned);
  });

  it.skipIf(java === undefined)('serves AWS’s SDK for Java', async () => {
    expect(await clients.java(java ?? '')).toEqual({ ...SEEN, aliases: ['alias/java'] });
  });

  it.skipIf(cosign === undefined)('serves cosign', async () => {
    const seen = await clients.cosign(cosign ?? '');
    expect(seen).toMatchObject({ sameKey: true, verified: true, verifiedByReference: true, forged: false });
    expect(createPublicKey(seen.pem).asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  });

  it.skipIf(java === undefined)('serves Canton from its first key to a rotation', async () => {
    const canton = await clients.canton(java ?? '');
    onTestFinished(() => canton.close());
    expect(await playCanton(canton, { multiRegion: true })).toMatchObject({
      encryption: { spec: 'RSA_2048' },
    });
  });

  it.skipIf(python === undefined)('serves the AWS CLI', async () => {
    const aws = (...args: string[]) => clients.cli(python ?? '', ...args);
    const made = (await aws('create-key', '--tags', 'TagKey=CreatedBy,TagValue=cli')) as {
      KeyMetadata: { KeyId: string };
    };
    const key = ['--key-id', made.KeyMetadata.KeyId];
    const secret = join(clients.folder, 'secret');
    writeFileSync(secret, 'a message');
    const sealed = (await aws('encrypt', ...key, '--plaintext', `fileb://${secret}`)) as {
      CiphertextBlob: string;
    };
    const blob = join(clients.folder, 'blob');
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
