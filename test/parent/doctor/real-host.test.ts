import { generateKeyPairSync } from 'node:crypto';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { errnoOf } from '../../../parent/doctor/checks/host.ts';
import { createRealHost } from '../../../parent/doctor/real-host.ts';
import { issueCertificate } from '../../../shared/x509/certificate.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const host = createRealHost();
const soon = () => AbortSignal.timeout(5_000);
const codeOf = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'none',
    (error: unknown) => errnoOf(error),
  );

/** A certificate that is its own authority. */
function makeIdentity(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = issueCertificate({
    subject: name,
    names: [name],
    publicKey,
    issuer: { name, privateKey },
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('the machine itself', () => {
  it('reads what the kernel shows, which has no size, and nothing that is too long', async () => {
    expect(Buffer.from(await host.read('/proc/self/status')).toString()).toContain('VmRSS');
    expect(await codeOf(host.read('/dev/zero'))).toBe('EFBIG');
    expect(await codeOf(host.read('/nowhere'))).toBe('ENOENT');
  });

  it('does not wait for a writer where a pipe has the name of a file', async () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'parent.yaml')]);
    expect(await host.read(join(folder, 'parent.yaml'))).toHaveLength(0);
  });

  it('tells modes, sizes and room', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'abc', { mode: 0o640 });
    expect(await host.stat(join(folder, 'file'))).toMatchObject({ kind: 'file', mode: 0o640, size: 3 });
    expect(await host.stat(folder)).toMatchObject({ kind: 'folder', mode: 0o700 });
    expect(await host.list(folder)).toEqual(['file']);
    expect(await host.freeBytes(folder)).toBeGreaterThan(0);
  });

  it('runs programs without a shell, and ends those that hang', async () => {
    expect(await host.run('printf', ['%s', '$HOME;x'], soon())).toEqual({
      status: 0,
      stdout: '$HOME;x',
      stderr: '',
    });
    expect(await host.run('sh', ['-c', 'echo no >&2; exit 3'], soon())).toEqual({
      status: 3,
      stdout: '',
      stderr: 'no\n',
    });
    expect(await codeOf(host.run('no-such-program', [], soon()))).toBe('ENOENT');
    expect(await codeOf(host.run('sleep', ['60'], AbortSignal.timeout(50)))).toBe('ABORT_ERR');
  });

  it('finds out whether a port is free, and leaves it free', async () => {
    const port = await listen(createTcpServer());
    expect(await codeOf(host.bind({ host: '127.0.0.1', port }))).toBe('EADDRINUSE');
    await host.bind({ host: '127.0.0.1', port: 0 });
    await host.connect({ address: '127.0.0.1', port }, soon());
    expect(await codeOf(host.connect({ address: '127.0.0.1', port: 1 }, soon()))).toBe('ECONNREFUSED');
  });

  it('asks a page of this machine', async () => {
    const port = await listen(createHttpServer((request, response) => response.end(request.url)));
    expect(await host.get({ host: '127.0.0.1', port, path: '/status' }, soon())).toEqual({
      status: 200,
      body: '/status',
    });
    expect(await codeOf(host.get({ host: '127.0.0.1', port: 1, path: '/' }, soon()))).toBe('ECONNREFUSED');
  });

  it('asks for the date only where the authority is the right one', async () => {
    const name = 'kms.eu-central-1.amazonaws.com';
    const identity = makeIdentity(name);
    const port = await listen(createHttpsServer(identity, (_, response) => response.end()));
    const ask = async (roots: readonly string[], asked = name) =>
      await host.askDate({ name: asked, address: '127.0.0.1', port, roots }, soon());
    expect(Math.abs(Date.parse((await ask([identity.cert])) ?? '') - Date.now())).toBeLessThan(60_000);
    const other = makeIdentity(name);
    await expect(ask([other.cert])).rejects.toThrow(Error);
    await expect(ask([identity.cert], 'kms.us-east-1.amazonaws.com')).rejects.toThrow(Error);
  });
});
