import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StateStore } from '../../local/aws/state.ts';
import { openAuthority } from '../../local/aws/tls.ts';
import { MANIFEST_FORMAT } from '../../shared/documents/manifest.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Asked {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const PROGRAM = join(import.meta.dirname, 'programs/kms-request.ts');
const MANIFEST = {
  format: MANIFEST_FORMAT,
  namespace: 'demo',
  environment: 'test',
  node: 1,
  quorum: { size: 1, threshold: 1 },
  kms: { keyArn: 'arn:aws:kms:eu-central-1:111111111111:key/one', region: 'eu-central-1' },
  configurationAuthority: { threshold: 1, keys: ['ab'.repeat(32)] },
  emergencyRecovery: { publicKey: 'cd'.repeat(32) },
};

const authority = openAuthority(new StateStore(), Date.now());
const stranger = openAuthority(new StateStore(), Date.now());
const asked: Asked[] = [];
let directory: string;
let kms: Server;
let impostor: Server;
/** Everything that Node and the SDK look at, pointing away from what the enclave means to do. */
let environment: Record<string, string>;

beforeAll(async () => {
  directory = temporaryFolder();
  const elsewhere = 'https://elsewhere.example';
  const path = (name: string) => join(directory, name);
  await writeFile(path('stranger.pem'), stranger.caPem);
  await writeFile(
    path('config'),
    `[default]\nregion = us-east-1\nendpoint_url = ${elsewhere}\ncredential_process = touch ${path('ran')}\n` +
      'use_fips_endpoint = true\nuse_dualstack_endpoint = true\nmax_attempts = 9\nretry_mode = adaptive\n' +
      'auth_scheme_preference = sigv4a\nsdk_ua_app_id = mallory\ndefaults_mode = mobile\n',
  );
  await writeFile(
    path('credentials'),
    '[default]\naws_access_key_id = AKIAMALLORY\naws_secret_access_key = x\n',
  );
  environment = {
    HOME: directory,
    AWS_ACCESS_KEY_ID: 'AKIAMALLORY',
    AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a',
    AWS_CONFIG_FILE: path('config'),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/',
    AWS_DEFAULTS_MODE: 'mobile',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: elsewhere,
    AWS_ENDPOINT_URL_KMS: elsewhere,
    AWS_MAX_ATTEMPTS: '9',
    AWS_PROFILE: 'default',
    AWS_REGION: 'us-east-1',
    AWS_RETRY_MODE: 'adaptive',
    AWS_SDK_UA_APP_ID: 'mallory',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_SESSION_TOKEN: 'x',
    AWS_SHARED_CREDENTIALS_FILE: path('credentials'),
    AWS_SIGV4A_SIGNING_REGION_SET: '*',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_USE_FIPS_ENDPOINT: 'true',
    HTTPS_PROXY: 'http://127.0.0.1:1',
    NODE_EXTRA_CA_CERTS: path('stranger.pem'),
    NODE_OPTIONS: '--use-openssl-ca --tls-min-v1.0',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    NODE_USE_ENV_PROXY: '1',
    SSL_CERT_FILE: path('stranger.pem'),
  };
  kms = await serve(authority);
  impostor = await serve(stranger);
});

afterAll(async () => {
  for (const server of [kms, impostor]) server.close();
});

/** Something that answers every request with a Plaintext, certified as KMS by an authority. */
async function serve(by: typeof authority): Promise<Server> {
  const server = createServer(
    { ...by.localhost, SNICallback: (name, done) => done(null, by.contextFor(name)) },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url: path, headers } = request;
        asked.push({ path, headers, body: Buffer.concat(chunks).toString() });
        response.end(JSON.stringify({ KeyId: MANIFEST.kms.keyArn, Plaintext: 'AAAA' }));
      });
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

/** Runs the enclave's request to KMS with that environment and nothing else. */
async function request(server: Server, env: Record<string, string>): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const child = spawn(
    process.execPath,
    [PROGRAM, String(port), JSON.stringify([authority.caPem]), JSON.stringify(MANIFEST)],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.resume();
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

/** What a request says, but for what is made anew for each. */
function describeRequest({ path, headers, body }: Asked) {
  const { authorization, ...others } = headers;
  const credential = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^,]+), SignedHeaders=([^,]+),/.exec(
    authorization ?? '',
  );
  for (const name of ['x-amz-date', 'amz-sdk-invocation-id']) delete others[name];
  return { path, others, body, credential: credential?.slice(1) };
}

describe('an environment that was given by the host', () => {
  it('does not change what the enclave asks KMS, or whom', async () => {
    asked.length = 0;
    expect(await request(kms, {})).toBe('KMS_PLAINTEXT_RETURNED');
    expect(await request(kms, environment)).toBe('KMS_PLAINTEXT_RETURNED');
    const [plain, hostile, ...more] = asked.map(describeRequest);
    expect(more).toEqual([]);
    expect(plain?.others.host).toBe('kms.eu-central-1.amazonaws.com');
    expect(plain?.credential?.[0]).toBe('ASIAPARENT');
    expect(hostile).toEqual(plain);
  });

  it('has no other authority believed than those of the image', async () => {
    asked.length = 0;
    expect(await request(impostor, {})).toBe('KMS_UNTRUSTED');
    expect(await request(impostor, environment)).toBe('KMS_UNTRUSTED');
    expect(asked).toEqual([]);
  });
});
