import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readFunction } from '../../../deploy/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { StateStore } from '../../../local/aws/state.ts';
import { openAuthority } from '../../../local/aws/tls.ts';
import { startLocalAws } from '../../../local/testbed/local-aws.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');
const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a pre-signed URL leads to: it takes the second attempt. */
async function startReceiver(tls: { readonly key: string; readonly cert: string }) {
  const received: Received[] = [];
  const server: Server = createServer(tls, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      response.writeHead(received.length === 1 ? 503 : 200).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, port: (server.address() as AddressInfo).port };
}

describe('the custom resource as it is uploaded', () => {
  it('populates a secret and puts its response to the pre-signed URL, with an empty content type', async () => {
    const folder = temporaryFolder();
    const state = new StateStore();
    const authority = openAuthority(state, Date.now());
    const aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }) });
    onTestFinished(() => aws.close());
    const credentials = aws.directory.createAccessKey({
      accountId: ACCOUNT,
      userName: 'function',
      policies: [ADMINISTRATOR_POLICY],
    });
    const client = new SecretsManagerClient({ ...aws.clientOptions('secretsmanager', REGION), credentials });
    onTestFinished(() => client.destroy());
    const { ARN: SecretId = '' } = await client.send(new CreateSecretCommand({ Name: 'gateway-api-key' }));
    const { received, port } = await startReceiver(authority.localhost);

    writeFileSync(join(folder, 'ca.pem'), `${aws.caPem}\n${authority.caPem}`);
    writeFileSync(join(folder, 'index.js'), (await readFunction('populate-secret')).source);
    const event = {
      RequestType: 'Create',
      ResponseURL: `https://localhost:${port}/response?X-Amz-Signature=abc%2Fdef&X-Amz-Expires=7200`,
      StackId: `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/s/1`,
      RequestId: 'request-1',
      ResourceType: 'Custom::PopulateSecret',
      LogicalResourceId: 'GatewaySecretValue',
      ResourceProperties: { ServiceToken: 'arn', SecretId, Generation: '1' },
    };
    const call = `require('./index').handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => 60000 });`;
    const child = spawn(process.execPath, ['-e', call], {
      cwd: folder,
      env: {
        NODE_PATH: join(ROOT, 'node_modules'),
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        AWS_REGION: REGION,
        AWS_ENDPOINT_URL: `https://localhost:${aws.port}`,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    });
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    await once(child, 'exit');

    expect(output).toContain('"status":"SUCCESS","isTaken":true');
    expect(received).toHaveLength(2);
    const [, { method, url, headers, body } = {} as Received] = received;
    expect({ method, url }).toEqual({
      method: 'PUT',
      url: '/response?X-Amz-Signature=abc%2Fdef&X-Amz-Expires=7200',
    });
    expect(headers['content-type']).toBe('');
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(JSON.parse(body)).toMatchObject({
      Status: 'SUCCESS',
      RequestId: 'request-1',
      StackId: event.StackId,
      LogicalResourceId: 'GatewaySecretValue',
      PhysicalResourceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
    const { apiKey } = JSON.parse(SecretString) as { apiKey: string };
    expect(output + received.map((each) => each.body).join('')).not.toContain(apiKey);
  });
});
