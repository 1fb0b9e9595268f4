import { createHash, createHmac } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { GenerateRandomCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY, type AwsCredentials, type AwsEvent } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';

let now: number;
let aws: LocalAws;
let events: AwsEvent[];
let roleArn: string;
let credentials: AwsCredentials;

beforeEach(async () => {
  now = Date.now();
  events = [];
  aws = await startLocalAws({
    verifyRecipient: () => ({ pcrs: new Map() }),
    clock: () => now,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => aws.close());
  roleArn = aws.directory.defineRole({
    accountId: ACCOUNT,
    roleName: 'admin',
    policies: [ADMINISTRATOR_POLICY],
  });
  credentials = aws.directory.assumeRole({ roleArn, sessionName: 'session' });
});

/** The name that the official client gets for its request. */
async function ask(
  using: AwsCredentials = credentials,
  more: Partial<ConstructorParameters<typeof KMSClient>[0]> = {},
): Promise<string> {
  const client = new KMSClient({
    ...aws.clientOptions('kms', REGION),
    credentials: using,
    maxAttempts: 1,
    ...more,
  });
  onTestFinished(() => client.destroy());
  return client.send(new GenerateRandomCommand({ NumberOfBytes: 8 })).then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.name : ''),
  );
}

describe('credentials', () => {
  it('are taken while they are valid, temporary or not', async () => {
    expect(await ask()).toBe('answered');
    const user = { accountId: ACCOUNT, userName: 'ann', policies: [ADMINISTRATOR_POLICY] };
    expect(await ask(aws.directory.createAccessKey(user))).toBe('answered');
    expect(await ask(aws.directory.createAccessKey({ accountId: ACCOUNT }))).toBe('answered');
    expect(events.map(({ caller }) => caller)).toEqual([
      `arn:aws:sts::${ACCOUNT}:assumed-role/admin/session`,
      `arn:aws:iam::${ACCOUNT}:user/ann`,
      `arn:aws:iam::${ACCOUNT}:root`,
    ]);
  });

  it('that nobody registered, or that were revoked, are unrecognised', async () => {
    expect(await ask({ ...credentials, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA' })).toBe(
      'UnrecognizedClientException',
    );
    aws.directory.revoke(credentials.accessKeyId);
    expect(await ask()).toBe('UnrecognizedClientException');
  });

  it('expire', async () => {
    const short = aws.directory.assumeRole({ roleArn, sessionName: 'short', durationSeconds: 60 });
    const { expiration: _, ...lasting } = short;
    now += 59_000;
    expect(await ask(lasting)).toBe('answered');
    now += 1000;
    expect(await ask(lasting)).toBe('ExpiredTokenException');
  });

  it('of a session are nothing without its token, and a token is nothing to other keys', async () => {
    const { sessionToken, ...bare } = credentials;
    expect(await ask(bare)).toBe('UnrecognizedClientException');
    const other = aws.directory.assumeRole({ roleArn, sessionName: 'other' });
    expect(await ask({ ...other, ...(sessionToken === undefined ? {} : { sessionToken }) })).toBe(
      'UnrecognizedClientException',
    );
  });

  it('with a wrong secret sign nothing', async () => {
    expect(await ask({ ...credentials, secretAccessKey: 'wrong' })).toBe('InvalidSignatureException');
  });
});

describe('the clock', () => {
  it('may be five minutes off either way, and no more', async () => {
    const start = now;
    for (const [offset, expected] of [
      [290_000, 'answered'],
      [-290_000, 'answered'],
      [310_000, 'InvalidSignatureException'],
      [-310_000, 'InvalidSignatureException'],
    ] as const) {
      now = start + offset;
      expect(await ask()).toBe(expected);
    }
  });

  it('of a client is corrected by the Date of the refusal', async () => {
    now += 600_000;
    expect(await ask(credentials, { maxAttempts: 2 })).toBe('answered');
  });
});

describe('the scope', () => {
  it('has to be that of the host’s region', async () => {
    expect(await ask(credentials, { region: 'us-east-1' })).toBe('InvalidSignatureException');
  });

  it('has to be that of the service', async () => {
    const { endpoint } = aws.clientOptions('secretsmanager', REGION);
    const name = await ask(credentials, { endpoint });
    expect(name).toBe('UnknownOperationException');
  });
});

interface Raw {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly path?: string;
  readonly method?: string;
  /** Headers that go out but are left out of the signature. */
  readonly unsigned?: readonly string[];
  /** Headers that are signed as empty and then left out. */
  readonly dropped?: readonly string[];
  /** What is sent, when it is not what was signed. */
  readonly sent?: string;
}

/** A request signed here by hand, so that each part can be wrong. Responses with status and type. */
function send(raw: Raw = {}): Promise<{ status: number; type: string }> {
  const body = raw.body ?? '{"NumberOfBytes":8}';
  const date = new Date(now).toISOString().replace(/[-:]|\.[0-9]+/g, '');
  const headers: Record<string, string> = {
    host: `localhost:${aws.port}`,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': date,
    'x-amz-target': 'TrentService.GenerateRandom',
    'x-amz-security-token': credentials.sessionToken ?? '',
    ...raw.headers,
    ...Object.fromEntries((raw.dropped ?? []).map((name) => [name, ''])),
  };
  const names = Object.keys(headers)
    .filter((name) => raw.unsigned?.includes(name) !== true)
    .sort();
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const canonical = [
    'POST',
    '/',
    '',
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    hash(body),
  ].join('\n');
  const scope = [date.slice(0, 8), REGION, 'kms', 'aws4_request'];
  const key = scope.reduce<string | Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), hash(canonical)].join('\n');
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  headers['authorization'] ??=
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  for (const name of raw.dropped ?? []) delete headers[name];
  return exchange(headers, raw.sent ?? body, raw);
}

function exchange(
  headers: Record<string, string>,
  body: string,
  { path = '/', method = 'POST' }: Raw,
): Promise<{ status: number; type: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: aws.port,
        ca: aws.caPem,
        method,
        path,
        headers,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const answer = JSON.parse(body.toString()) as { __type?: string };
          // SDKs go by the one name or the other, so they have to agree.
          expect(response.headers['x-amzn-errortype']).toBe(answer.__type);
          expect(response.headers['content-length']).toBe(String(body.length));
          expect(Date.parse(response.headers.date ?? '')).not.toBeNaN();
          resolve({ status: response.statusCode ?? 0, type: answer.__type ?? 'answered' });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('a request by hand', () => {
  it('is answered when all is right', async () => {
    expect(await send()).toEqual({ status: 200, type: 'answered' });
  });

  it.each<[string, Raw, number, string]>([
    ['another body than was signed', { sent: '{"NumberOfBytes":9}' }, 400, 'InvalidSignatureException'],
    ['no authorization', { headers: { authorization: '' } }, 400, 'IncompleteSignatureException'],
    ['another scheme', { headers: { authorization: 'Bearer x' } }, 400, 'IncompleteSignatureException'],
    ['an unsigned target', { unsigned: ['x-amz-target'] }, 400, 'InvalidSignatureException'],
    ['an unsigned host', { unsigned: ['host'] }, 400, 'InvalidSignatureException'],
    ['an unsigned token', { unsigned: ['x-amz-security-token'] }, 400, 'InvalidSignatureException'],
    ['a wrong payload hash', { headers: { 'x-amz-content-sha256': '00' } }, 400, 'InvalidSignatureException'],
    [
      'UNSIGNED-PAYLOAD',
      { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
      400,
      'InvalidSignatureException',
    ],
    ['a signed header that is not sent', { dropped: ['x-made-up'] }, 400, 'InvalidSignatureException'],
    ['a body that is no JSON', { body: '{' }, 400, 'SerializationException'],
    [
      'a member that occurs twice',
      { body: '{"NumberOfBytes":8,"NumberOfBytes":9}' },
      400,
      'SerializationException',
    ],
    ['a body that is no object', { body: '[]' }, 400, 'SerializationException'],
    ['a number as a string', { body: '{"NumberOfBytes":"8"}' }, 400, 'SerializationException'],
    ['nesting', { body: `${'['.repeat(50)}${']'.repeat(50)}` }, 400, 'SerializationException'],
    [
      'an operation that does not exist',
      { headers: { 'x-amz-target': 'TrentService.Explode' } },
      400,
      'UnknownOperationException',
    ],
    [
      'an operation named after a prototype',
      { headers: { 'x-amz-target': 'TrentService.constructor' } },
      400,
      'UnknownOperationException',
    ],
    [
      'a target of no service',
      { headers: { 'x-amz-target': 'Nobody.GenerateRandom' } },
      404,
      'UnknownOperationException',
    ],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 404, 'UnknownOperationException'],
    ['another path', { path: '/x' }, 404, 'UnknownOperationException'],
    ['a query', { path: '/?a=b' }, 404, 'UnknownOperationException'],
    ['another method', { method: 'PUT' }, 404, 'UnknownOperationException'],
  ])('is refused with %s', async (_, raw, status, type) => {
    expect(await send(raw)).toEqual({ status, type });
  });

  it('without any authorization is told so', async () => {
    const headers = {
      host: 'localhost',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'TrentService.ListKeys',
    };
    expect(await exchange(headers, '{}', {})).toEqual({
      status: 400,
      type: 'MissingAuthenticationTokenException',
    });
  });

  it('that is too long is refused without being read, and the server serves on', async () => {
    const body = `{"NumberOfBytes":8,"x":"${'x'.repeat(600_000)}"}`;
    const answer = await send({ body }).catch((error: NodeJS.ErrnoException) => ({
      status: 0,
      type: error.code,
    }));
    expect([413, 0]).toContain(answer.status);
    expect(['RequestEntityTooLargeException', 'EPIPE', 'ECONNRESET']).toContain(answer.type);
    expect(await send()).toMatchObject({ status: 200 });
  });
});

describe('TLS', () => {
  const names = ['kms.eu-central-1.amazonaws.com', 'secretsmanager.us-gov-west-1.amazonaws.com', 'localhost'];
  const shake = (servername: string, ca: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: aws.port, servername, ca }, () => {
        resolve('trusted');
        socket.destroy();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });

  it.each(names)('shows a certificate for %s under the exported authority', async (name) => {
    expect(await shake(name, aws.caPem)).toBe('trusted');
  });

  it('shows none for names that are not AWS’s', async () => {
    expect(await shake('kms.example.com', aws.caPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await shake('kms.a.b.amazonaws.com', aws.caPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is not trusted by who pins another authority', async () => {
    const other = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) });
    onTestFinished(() => other.close());
    expect(await shake('localhost', other.caPem)).not.toBe('trusted');
  });
});

describe('events', () => {
  it('tell what was asked, by whom and how it ended, and carry no content', async () => {
    const client = new KMSClient({ ...aws.clientOptions('kms', REGION), credentials });
    onTestFinished(() => client.destroy());
    await client.send(new ListKeysCommand({}));
    await ask({ ...credentials, secretAccessKey: 'wrong' });
    expect(events).toEqual([
      { service: 'kms', operation: 'ListKeys', caller: `arn:aws:sts::${ACCOUNT}:assumed-role/admin/session` },
      { service: 'kms', operation: 'GenerateRandom', error: 'InvalidSignatureException' },
    ]);
  });
});
