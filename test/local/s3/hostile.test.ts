import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { HeadObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { presignUrl } from '../../../shared/aws-sigv4/index.ts';
import { nameOfError, openS3, REGION } from './clients.ts';

const ACCOUNT = '111122223333';
const BUCKET = 'attacked';

let aws: LocalAws;
let credential: AwsCredentials;

beforeEach(async () => {
  aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) });
  onTestFinished(() => aws.close());
  aws.s3.createBucket({ name: BUCKET, accountId: ACCOUNT, region: REGION });
  credential = aws.directory.createAccessKey({
    accountId: ACCOUNT,
    userName: 'person',
    policies: [ADMINISTRATOR_POLICY],
  });
});

/** Target of a pre-signed PUT. */
function target(key: string): string {
  const url = presignUrl({
    method: 'PUT',
    origin: `https://localhost:${aws.port}`,
    path: `/${BUCKET}/${key}`,
    region: REGION,
    credential,
    expires: 60,
    now: Date.now(),
  });
  return url.slice(url.indexOf('/', 'https://'.length));
}

async function open(): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: aws.port, servername: 'localhost', ca: aws.caPem });
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

/** Sends a head, and what follows; fulfils with the status of the response, or `closed`. */
async function send(lines: readonly string[], body: string | Buffer = ''): Promise<string> {
  const socket = await open();
  socket.write([...lines, `Host: localhost:${aws.port}`, '', ''].join('\r\n'));
  socket.write(body);
  return await answerOf(socket);
}

async function answerOf(socket: TLSSocket): Promise<string> {
  return await new Promise((resolve) => {
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      const [, status] = /^HTTP\/1\.1 ([0-9]{3})/.exec(text) ?? [];
      const code = /<Code>(\w+)</.exec(text)?.[1];
      if (status === '200') resolve(status);
      if (code !== undefined) resolve(`${status} ${code}`);
    });
    socket.on('error', () => resolve('closed')).on('close', () => resolve('closed'));
  });
}

/** Has the official client sign and send a document of settings that is none of its own. */
async function putVersioning(body: string): Promise<string> {
  const client = openS3(aws, { accountId: ACCOUNT });
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { body: string; headers: Record<string, string> };
      request.body = body;
      request.headers['content-length'] = String(Buffer.byteLength(body));
      return await next(args);
    },
    { step: 'build', priority: 'low' },
  );
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  const asked = new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration });
  return await client.send(asked).then(() => 'done', nameOfError);
}

const left = (): string[] => readdirSync(aws.s3.store.incoming);

describe('a body', () => {
  it('that ends early leaves nothing behind', async () => {
    const socket = await open();
    socket.write(
      `PUT ${target('early')} HTTP/1.1\r\nHost: localhost:${aws.port}\r\nContent-Length: 100000\r\n\r\n`,
    );
    socket.write(Buffer.alloc(50_000));
    await expect.poll(left).toHaveLength(1);
    socket.destroy();
    await expect.poll(left).toEqual([]);
    expect(aws.s3.latest(BUCKET, 'early')).toBeUndefined();
  });

  it('is not waited for before its head was authenticated', async () => {
    const head = [`PUT ${target('x').replace(/.$/, '0')} HTTP/1.1`, 'Content-Length: 1000000'];
    expect(await send(head)).toBe('403 SignatureDoesNotMatch');
    expect(await send([`PUT /${BUCKET}/x HTTP/1.1`, 'Content-Length: 1000000'])).toBe('403 AccessDenied');
    expect(left()).toEqual([]);
  });

  it('that announces more than may come is refused at once', async () => {
    const tooLong = await send([`PUT ${target('x')} HTTP/1.1`, 'Content-Length: 300000000']);
    expect(tooLong).toBe('413 EntityTooLarge');
    expect(await send([`PUT ${target('x')} HTTP/1.1`, 'Transfer-Encoding: chunked'])).toMatch(/^411|closed/);
    await expect.poll(left).toEqual([]);
  });

  it('takes no more memory for coming byte by byte', async () => {
    const socket = await open();
    socket.write(
      `PUT ${target('slow')} HTTP/1.1\r\nHost: localhost:${aws.port}\r\nContent-Length: 20000\r\n\r\n`,
    );
    const before = process.memoryUsage().heapUsed;
    for (let byte = 0; byte < 20_000; byte += 1) socket.write('x');
    expect(await answerOf(socket)).toBe('200');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
    expect(aws.s3.latest(BUCKET, 'slow')?.content?.size).toBe(20_000);
  });
});

describe('hostile requests', () => {
  it.each([
    'PUT /attacked/%ff HTTP/1.1',
    'GET /%00/%00 HTTP/1.1',
    'GET /../../etc/passwd HTTP/1.1',
    'GET /attacked/?policy&versioning HTTP/1.1',
    'POST /attacked/x?restore HTTP/1.1',
    'GET //// HTTP/1.1',
  ])('%s is refused', async (line) => {
    expect(await send([line, 'Content-Length: 0'])).toMatch(/^(?:400|403|404|501) \w+$/);
  });

  it('documents that are no XML, or far too much of it, change nothing', async () => {
    const documents = [
      '',
      '<',
      '<a></b>',
      '<VersioningConfiguration><Status>On</Status></VersioningConfiguration>',
      '<!DOCTYPE x [<!ENTITY a "b">]><VersioningConfiguration><Status>&a;</Status></VersioningConfiguration>',
      '<a>'.repeat(5000),
      `<VersioningConfiguration>${'<x/>'.repeat(30_000)}</VersioningConfiguration>`,
      randomBytes(300_000).toString('latin1'),
    ];
    for (const body of documents) {
      const started = performance.now();
      expect(await putVersioning(body)).toMatch(/^(?:MalformedXML|EntityTooLarge)$/);
      expect(performance.now() - started).toBeLessThan(5000);
    }
    const good = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    expect(await putVersioning(good.replace('Enabled', 'Enable&#100;'))).toBe('done');
    expect(aws.s3.bucket(BUCKET).versioning).toBe('Enabled');
    aws.s3.setVersioning(BUCKET, 'Suspended');
    expect(aws.s3.bucket(BUCKET).versioning).toBe('Suspended');
  });

  it('keys that look like paths stay keys', async () => {
    const client = openS3(aws, { accountId: ACCOUNT });
    for (const Key of ['../../escape', '/root', 'a//b', '.', 'x'.repeat(1024)]) {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
      expect((await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }))).ContentLength).toBe(1);
    }
    const long = new PutObjectCommand({ Bucket: BUCKET, Key: 'x'.repeat(1025), Body: 'x' });
    expect(await client.send(long).then(() => 'done', nameOfError)).toBe('KeyTooLongError');
  });
});
