import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../parent/common/log.ts';
import { LogArchive } from '../../../parent/log/log-archive.ts';
import { TileFolder } from '../../../parent/log/tile-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Put {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A loopback server that takes objects as S3 does: what is put twice under another content is kept and shown. */
async function startBucket(refuse: (count: number) => number | undefined = () => undefined) {
  const puts: Put[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      count += 1;
      const status = refuse(count);
      if (status !== undefined) {
        const code = status === 412 ? '<Error><Code>PreconditionFailed</Code></Error>' : '';
        response.writeHead(status).end(code);
        return;
      }
      puts.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
    maxAttempts: 1,
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  return { client, puts };
}

async function makeFolder(bundles: number) {
  const folder = new TileFolder(temporaryFolder());
  for (let index = 0; index < bundles; index += 1) {
    for (const level of ['entries', 0] as const) {
      await folder.writeTile({ level, index, width: 256 }, new Uint8Array(8192).fill(index));
    }
  }
  await folder.writeTile({ level: 'entries', index: bundles, width: 5 }, new Uint8Array(5));
  await folder.writeTile({ level: 0, index: bundles, width: 5 }, new Uint8Array(160));
  await folder.writeTile({ level: 1, index: 0, width: bundles }, new Uint8Array(32 * bundles));
  await folder.writeCheckpoint('a checkpoint\n');
  return folder;
}

const LOCK = { mode: 'COMPLIANCE', days: 30 } as const;

const open = (client: S3Client, folder: TileFolder, lock: Partial<typeof LOCK> = LOCK) =>
  new LogArchive({ client, bucket: 'logs', prefix: 'node-1/', ...lock, checkpointMs: 0 }, folder, silentLog);

describe('the archive of a log', () => {
  it('locks full tiles, partial ones and the checkpoint, each under its own name', async () => {
    const { client, puts } = await startBucket();
    const archive = open(client, await makeFolder(2));
    archive.offer({ full: 512, published: 517 });
    await expect.poll(() => puts.length).toBe(8);
    await archive.close();
    expect(puts.map(({ path }) => path.replace(/\?.*/, ''))).toEqual(
      [
        'tile/entries/000',
        'tile/0/000',
        'tile/entries/001',
        'tile/0/001',
        'tile/entries/002.p/5',
        'tile/0/002.p/5',
        'tile/1/000.p/2',
        'checkpoint',
      ].map((name) => `/logs/node-1/${name}`),
    );
    // What never changes is written once; the bucket of a node's stack takes nothing else.
    expect(puts.map(({ headers }) => headers['if-none-match'])).toEqual([
      ...Array.from({ length: 7 }, () => '*'),
      undefined,
    ]);
    for (const { headers, body } of puts) {
      expect(headers['x-amz-object-lock-mode']).toBe('COMPLIANCE');
      const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']));
      expect(Math.abs(until - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
      expect(headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update(body).digest('base64'));
    }
    expect(archive.archived).toBe(512);
  });

  it('asks for no lock where the bucket has one for whatever is written', async () => {
    const { client, puts } = await startBucket();
    const archive = open(client, await makeFolder(1), {});
    archive.offer({ full: 256, published: 256 });
    await expect.poll(() => puts.some(({ path }) => path.startsWith('/logs/node-1/checkpoint'))).toBe(true);
    await archive.close();
    for (const { headers } of puts) {
      expect(Object.keys(headers).filter((name) => name.startsWith('x-amz-object-lock'))).toEqual([]);
      // S3 asks for a checksum wherever an object comes to be locked.
      expect(headers['x-amz-checksum-sha256']).toMatch(/^[\w+/]{43}=$/);
    }
  });

  it('tries again what the bucket does not take, and goes on where it was after a restart', async () => {
    const folder = await makeFolder(2);
    const failing = await startBucket((count) => (count === 2 ? 503 : undefined));
    const archive = open(failing.client, folder);
    archive.offer({ full: 256, published: 0 });
    await expect.poll(() => archive.archived, { timeout: 4_000 }).toBe(256);
    await archive.close();
    const { client, puts } = await startBucket();
    const next = open(client, folder);
    next.offer({ full: 512, published: 0 });
    await expect.poll(() => next.archived).toBe(512);
    await next.close();
    expect(puts.map(({ path }) => path.replace(/\?.*/, ''))).toEqual([
      '/logs/node-1/tile/entries/001',
      '/logs/node-1/tile/0/001',
    ]);
  });

  it('goes on where the bucket has a tile already, from a run that ended before it had noted that', async () => {
    const { client } = await startBucket((count) => (count <= 2 ? 412 : undefined));
    const archive = open(client, await makeFolder(2));
    archive.offer({ full: 512, published: 0 });
    await expect.poll(() => archive.archived).toBe(512);
    await archive.close();
  });
});
