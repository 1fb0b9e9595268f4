import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { createFileSecrets, readArtifactFile } from '../../../parent/artifacts/files.ts';
import { withLastGoodCopy, withLastGoodSecrets } from '../../../parent/artifacts/last-good-copy.ts';
import { createS3Artifact } from '../../../parent/artifacts/s3.ts';
import {
  createSecretsManagerArtifact,
  createSecretsManagerSecrets,
} from '../../../parent/artifacts/secrets-manager.ts';
import type { ArtifactSource } from '../../../parent/artifacts/source.ts';
import type { Log } from '../../../parent/common/log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const signal = new AbortController().signal;
const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());

let directory: string;
beforeEach(async () => {
  directory = temporaryFolder();
});

describe('an artifact in a file', () => {
  test('is read anew each time, and absent when it is not there', async () => {
    const path = join(directory, 'manifest.json');
    expect(await readArtifactFile(path, 10)).toBeNull();
    await writeFile(path, 'one');
    expect(text(await readArtifactFile(path, 10))).toBe('one');
    await writeFile(path, 'two');
    expect(text(await readArtifactFile(path, 10))).toBe('two');
  });

  test('is refused when it is too long, and unavailable when it cannot be read', async () => {
    const path = join(directory, 'manifest.json');
    await writeFile(path, 'x'.repeat(11));
    await expect(readArtifactFile(path, 10)).rejects.toMatchObject({
      name: 'ArtifactError',
      code: 'ARTIFACT_TOO_LARGE',
    });
    await expect(readArtifactFile(join(path, 'below'), 10)).rejects.toMatchObject({
      code: 'ARTIFACT_UNAVAILABLE',
    });
  });

  test('is a secret’s blob by its name', async () => {
    await writeFile(join(directory, 'share-1'), Uint8Array.of(1, 0, 255));
    const secrets = createFileSecrets(directory);
    expect(await secrets.get('share-1', signal)).toEqual(Buffer.of(1, 0, 255));
    expect(await secrets.get('share-2', signal)).toBeNull();
  });
});

describe('an artifact in Secrets Manager', () => {
  let aws: LocalAws;
  let client: SecretsManagerClient;
  beforeEach(async () => {
    aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }) });
    const credentials = aws.directory.createAccessKey({
      accountId: '111122223333',
      userName: 'parent',
      policies: [ADMINISTRATOR_POLICY],
    });
    client = new SecretsManagerClient({
      ...aws.clientOptions('secretsmanager', 'eu-central-1'),
      credentials,
      maxAttempts: 1,
    });
  });
  afterEach(async () => {
    client.destroy();
    await aws.close();
  });

  test('is a binary secret, or absent', async () => {
    await client.send(
      new CreateSecretCommand({ Name: 'holdfast/node-1/share', SecretBinary: Uint8Array.of(1, 0, 255) }),
    );
    const secrets = createSecretsManagerSecrets({ client, prefix: 'holdfast/node-1/' });
    expect(Buffer.from((await secrets.get('share', signal)) ?? [])).toEqual(Buffer.of(1, 0, 255));
    expect(await secrets.get('other', signal)).toBeNull();
  });

  test('is not passed on as a secret when it is text', async () => {
    await client.send(new CreateSecretCommand({ Name: 'holdfast/plain', SecretString: 'hunter2' }));
    const secrets = createSecretsManagerSecrets({ client, prefix: 'holdfast/' });
    const error: unknown = await secrets.get('plain', signal).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'ArtifactError', code: 'ARTIFACT_UNAVAILABLE' });
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  test('is a manifest as text', async () => {
    await client.send(new CreateSecretCommand({ Name: 'manifest', SecretString: '{"format":1}' }));
    expect(text(await createSecretsManagerArtifact(client, 'manifest', 100)(signal))).toBe('{"format":1}');
    expect(await createSecretsManagerArtifact(client, 'none', 100)(signal)).toBeNull();
    await expect(createSecretsManagerArtifact(client, 'manifest', 5)(signal)).rejects.toMatchObject({
      code: 'ARTIFACT_TOO_LARGE',
    });
  });

  test('is unavailable while AWS is down', async () => {
    const secrets = createSecretsManagerSecrets({ client, prefix: '' });
    await aws.close();
    await expect(secrets.get('share', signal)).rejects.toMatchObject({ code: 'ARTIFACT_UNAVAILABLE' });
  });
});

describe('an artifact in S3', () => {
  let server: Server;
  let client: S3Client;
  let object: string | undefined;
  let asked: string[];
  beforeEach(async () => {
    asked = [];
    object = 'manifest bytes';
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url?.split('?')[0]} ${request.headers.range}`);
      if (object === undefined) {
        response.writeHead(404, { 'content-type': 'application/xml' });
        response.end('<Error><Code>NoSuchKey</Code><Message>no</Message></Error>');
        return;
      }
      const last = Number(/bytes=0-([0-9]+)/.exec(request.headers.range ?? '')?.[1]);
      const body = object.slice(0, last + 1);
      response.writeHead(206, { 'content-length': body.length });
      response.end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = new S3Client({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-central-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
    });
  });
  afterEach(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  const source = (maxBytes: number) =>
    createS3Artifact({ client, bucket: 'holdfast', key: 'node-1/manifest.json', maxBytes });

  test('is an object, of which no more is fetched than may be', async () => {
    expect(text(await source(100)(signal))).toBe('manifest bytes');
    expect(asked).toEqual(['GET /holdfast/node-1/manifest.json bytes=0-100']);
    await expect(source(5)(signal)).rejects.toMatchObject({ code: 'ARTIFACT_TOO_LARGE' });
  });

  test('is absent when there is no such key, and unavailable when S3 is down', async () => {
    object = undefined;
    expect(await source(100)(signal)).toBeNull();
    server.close();
    server.closeAllConnections();
    await expect(source(100)(signal)).rejects.toMatchObject({ code: 'ARTIFACT_UNAVAILABLE' });
  });
});

describe('the last good copy', () => {
  const events: string[] = [];
  const log: Log = (_level, event) => events.push(event);
  const down: ArtifactSource = () => Promise.reject(new Error('AWS is down'));
  const give =
    (bytes: string): ArtifactSource =>
    () =>
      Promise.resolve(Buffer.from(bytes));

  test('serves while the source is down, also after a restart', async () => {
    const options = { directory: join(directory, 'copies'), maxBytes: 100, log };
    await expect(withLastGoodCopy(down, 'manifest', options)(signal)).rejects.toThrow(Error);
    expect(text(await withLastGoodCopy(give('first'), 'manifest', options)(signal))).toBe('first');
    expect(text(await withLastGoodCopy(give('second'), 'manifest', options)(signal))).toBe('second');
    expect(text(await withLastGoodCopy(down, 'manifest', options)(signal))).toBe('second');
    expect(events).toContain('artifact.last-good-copy');
    expect((await stat(join(directory, 'copies', 'manifest'))).mode & 0o777).toBe(0o600);
  });

  test('does not stand in for what the source says is not there', async () => {
    const options = { directory, maxBytes: 100, log };
    await withLastGoodCopy(give('old'), 'manifest', options)(signal);
    expect(await withLastGoodCopy(() => Promise.resolve(null), 'manifest', options)(signal)).toBeNull();
  });

  test('of each secret is a file of its own', async () => {
    const options = { directory, maxBytes: 100, log };
    let isDown = false;
    const secrets = withLastGoodSecrets(
      { get: (name) => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(Buffer.from(name))) },
      options,
    );
    await secrets.get('one', signal);
    await secrets.get('two', signal);
    isDown = true;
    expect(text(await secrets.get('one', signal))).toBe('one');
    expect(text(await readFile(join(directory, 'secret-two')))).toBe('two');
    await expect(secrets.get('three', signal)).rejects.toThrow(Error);
  });

  test('is only a loss when it cannot be kept', async () => {
    const file = join(directory, 'no-folder');
    await writeFile(file, '');
    await chmod(file, 0o400);
    const source = withLastGoodCopy(give('served'), 'manifest', { directory: file, maxBytes: 100, log });
    expect(text(await source(signal))).toBe('served');
    expect(events).toContain('artifact.not-kept');
  });
});
