import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { constants, open, readdir, stat, statfs } from 'node:fs/promises';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, createServer } from 'node:net';
import { createLookUp } from '../egress/look-up.ts';
import { checkImage } from '../lifecycle/image.ts';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { loadNative } from '../../shared/native/addon.ts';
import type { Host, HttpResponse } from './checks/host.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_BODY_BYTES = 64 * 1024;
const READ_BYTES = 64 * 1024;
const METADATA_HOST = '169.254.169.254';

/** Host that looks at this machine itself. */
export function createRealHost(): Host {
  return {
    uid: process.getuid?.() ?? 0,
    nodeVersion: process.versions.node,
    clock: Date.now,
    read: readBounded,
    list: (path) => readdir(path),
    async stat(path) {
      const found = await stat(path);
      return {
        kind: found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
        mode: found.mode & 0o7777,
        uid: found.uid,
        gid: found.gid,
        size: found.size,
      };
    },
    async freeBytes(path) {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    run: runProgram,
    askMetadata,
    get: (from, signal) => askHttp({ ...from, method: 'GET' }, signal),
    lookUp: (name, family, signal) => createLookUp({ family })(name, signal),
    async connect({ address, port }, signal) {
      const socket = connect({ host: address, port });
      try {
        await once(socket, 'connect', { signal });
      } finally {
        socket.destroy();
      }
    },
    askDate: ({ name, address, port, roots }, signal) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(
          {
            method: 'HEAD',
            host: address,
            port,
            path: '/',
            servername: name,
            headers: { host: name },
            ca: [...roots],
            // Holds whatever NODE_TLS_REJECT_UNAUTHORIZED says.
            rejectUnauthorized: true,
            agent: false,
            signal,
          },
          (response) => {
            resolve(response.headers.date);
            response.destroy();
          },
        );
        request.on('error', reject).end();
      }),
    async bind({ host, port }) {
      const server = createServer();
      server.listen({ host, port, exclusive: true });
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    },
    async loadAddon() {
      loadNative();
    },
    async verifyImage(image, pcrs) {
      await checkImage(image, pcrs);
    },
    async credentialsExpiration() {
      const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
      const { expiration } = await defaultProvider()();
      return expiration?.getTime() ?? null;
    },
  };
}

/** Reads a file until its end or beyond the limit: files of the kernel have no size. */
async function readBounded(path: string): Promise<Uint8Array> {
  // O_NONBLOCK: opening a pipe of that name must not wait for a writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const collected = new ByteCollector(MAX_FILE_BYTES);
  for (;;) {
    const buffer = Buffer.alloc(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
    if (bytesRead === 0) return collected.bytes();
    if (!collected.add(buffer.subarray(0, bytesRead)))
      throw Object.assign(new Error('too long'), { code: 'EFBIG' });
  }
}

function runProgram(program: string, args: readonly string[], signal: AbortSignal): ReturnType<Host['run']> {
  return new Promise((resolve, reject) => {
    const options = { signal, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else reject(error);
    });
  });
}

function askMetadata(
  { method, path, token }: Parameters<Host['askMetadata']>[0],
  signal: AbortSignal,
): Promise<HttpResponse> {
  const headers =
    method === 'PUT'
      ? { 'X-aws-ec2-metadata-token-ttl-seconds': '60' }
      : token === undefined
        ? {}
        : { 'X-aws-ec2-metadata-token': token };
  return askHttp({ host: METADATA_HOST, method, path, headers }, signal);
}

function askHttp(options: RequestOptions, signal: AbortSignal): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...options, agent: false, signal });
    request.on('error', reject);
    request.on('response', (response) => {
      const body = new ByteCollector(MAX_BODY_BYTES);
      response.on('data', (chunk: Buffer) => {
        if (!body.add(chunk)) request.destroy(Object.assign(new Error('too long'), { code: 'EFBIG' }));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: body.bytes().toString('utf8') }),
      );
    });
    request.end();
  });
}
