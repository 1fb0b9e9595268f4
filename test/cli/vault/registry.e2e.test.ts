import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeReleaseKey, makeSampleRelease } from '../../admin/artifacts/sample-release.ts';
import { findMadeOrSay } from '../../support/find-made.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

const registry = findMadeOrSay('no release went through a real registry', 'release-tools.sh', 'registry');
const key = makeReleaseKey();
const USER = { name: 'holdfast', password: 'a:long password' };
let source: string;
let keyFile: string;
let tls: { cert: string; key: string };
const children: ChildProcess[] = [];

beforeAll(async () => {
  ({ out: source } = await makeSampleRelease(key));
  const folder = temporaryFolder();
  keyFile = join(folder, 'cosign.pub');
  writeFileSync(keyFile, key.pem);
  tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ];
  spawnSync('openssl', [...made, '-keyout', tls.key, '-out', tls.cert, ...subject]);
});

afterAll(() => {
  for (const child of children) child.kill();
});

async function startRegistry(mode: 'anonymous' | 'basic' | 'bearer', isEncrypted: boolean): Promise<string> {
  const child = spawn(join(registry ?? '', 'registry'), [mode, ...(isEncrypted ? [tls.cert, tls.key] : [])], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, REGISTRY_USER: USER.name, REGISTRY_PASSWORD: USER.password },
  });
  children.push(child);
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
  return `127.0.0.1:${port}`;
}

/** Writes credentials as `docker login` does; returns the environment that names them. */
function login(host: string, password = USER.password): Record<string, string> {
  const folder = temporaryFolder();
  const auth = Buffer.from(`${USER.name}:${password}`).toString('base64');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }), {
    mode: 0o600,
  });
  return { DOCKER_CONFIG: folder };
}

interface Call {
  readonly location: string;
  readonly env?: Record<string, string>;
  readonly out?: string;
}
const options = (out: string) => ['--key', keyFile, '--out', out, '--ca', tls.cert, '--json'];
const mirror = async ({ location, env = {} }: Call) =>
  await runHoldfast(
    ['vault', 'mirror', '1.4.0', '--from', source, '--to', location, ...options(temporaryFolder())],
    { env },
  );
const fetch = async ({ location, env = {}, out = temporaryFolder() }: Call) =>
  await runHoldfast(['vault', 'fetch', '1.4.0', '--from', location, ...options(out)], { env });

describe.skipIf(registry === undefined)('releases in an OCI registry', () => {
  it.each([
    ['anonymous', false],
    ['anonymous', true],
    ['basic', true],
    ['bearer', true],
  ] as const)('goes there and back bit for bit (%s, TLS: %s)', async (mode, isEncrypted) => {
    const host = await startRegistry(mode, isEncrypted);
    const location = `oci://${host}/holdfast/release`;
    const env = mode === 'anonymous' ? {} : login(host);
    expect(refusalIn(await fetch({ location, env })).code).toBe('RELEASE_NOT_FOUND');
    const first = await mirror({ location, env });
    expect([first.exit, (JSON.parse(first.out) as { written: unknown[] }).written.length]).toEqual([0, 10]);
    expect(JSON.parse((await mirror({ location, env })).out)).toMatchObject({ ok: true, written: [] });
    const out = temporaryFolder();
    expect((await fetch({ location, env, out })).exit).toBe(0);
    for (const name of readdirSync(join(source, '1.4.0'))) {
      expect(readFileSync(join(out, '1.4.0', name)).equals(readFileSync(join(source, '1.4.0', name)))).toBe(
        true,
      );
    }
    if (mode === 'anonymous') return;
    for (const wrong of [{}, login(host, 'wrong')]) {
      expect(refusalIn(await fetch({ location, env: wrong })).code).toBe('RELEASE_SOURCE_REFUSED');
      expect(refusalIn(await mirror({ location, env: wrong })).code).toBe('RELEASE_SOURCE_REFUSED');
    }
  });

  it('never replaces another release of the version', async () => {
    const location = `oci://${await startRegistry('anonymous', true)}/holdfast/release`;
    expect((await mirror({ location })).exit).toBe(0);
    const { out } = await makeSampleRelease(key, { program: 'another' });
    const again = await runHoldfast(
      ['vault', 'mirror', '1.4.0', '--from', out, '--to', location, ...options(temporaryFolder())],
      {},
    );
    expect(refusalIn(again).code).toBe('RELEASE_MIRROR_DIFFERS');
  });

  it('refuses a registry whose authority is not trusted', async () => {
    const location = `oci://${await startRegistry('anonymous', true)}/holdfast/release`;
    const refused = await runHoldfast(
      ['vault', 'fetch', '1.4.0', '--from', location, '--key', keyFile, '--out', temporaryFolder(), '--json'],
      { env: {} },
    );
    expect(refusalIn(refused)).toMatchObject({
      code: 'RELEASE_SOURCE_UNREACHABLE',
      details: { reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });
});

describe('a hostile registry', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, answer);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const codeOf = async (host: string, env = {}) =>
    refusalIn(await fetch({ location: `oci://${host}/holdfast/release`, env })).code;

  it.each([
    ['no JSON', 'text', 'RELEASE_MANIFEST_MALFORMED'],
    ['an image index', '{"schemaVersion":2,"manifests":[]}', 'RELEASE_MANIFEST_MALFORMED'],
    ['more than a manifest may have', `"${'x'.repeat(100_000)}"`, 'RELEASE_MANIFEST_MALFORMED'],
  ])('gives %s for a manifest', async (_what, body, code) => {
    expect(await codeOf(await serve((_request, response) => response.end(body)))).toBe(code);
  });

  it('redirects for ever, to plain HTTP, or to nowhere', async () => {
    for (const to of ['/v2/again', 'http://192.0.2.1/', 'ftp://x/', 'http://[']) {
      const host = await serve((_request, response) => response.writeHead(307, { location: to }).end());
      expect(await codeOf(host)).toBe('RELEASE_SOURCE_UNREACHABLE');
    }
  });

  it('wants the password at another place without TLS, or by a scheme that is none', async () => {
    for (const challenge of [
      'Bearer realm="http://192.0.2.1/token"',
      'Bearer realm="x"',
      'Negotiate',
      'Bearer',
      '',
    ]) {
      const host = await serve((_request, response) =>
        response.writeHead(401, { 'www-authenticate': challenge }).end(),
      );
      expect(await codeOf(host, login(host))).toMatch(/^RELEASE_SOURCE_(?:REFUSED|UNREACHABLE)$/);
    }
  });

  it('hands on to another origin, which learns nothing of the credentials', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const host = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `https://${other}/blob` }).end();
    });
    expect(await codeOf(host, login(host))).toBe('RELEASE_NOT_FOUND');
    expect(seen).toEqual([undefined]);
  });
});
