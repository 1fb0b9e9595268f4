import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, parseLocation, RegistryReleases } from '../../../admin/artifacts/index.ts';
import { encodeManifest } from '../../../admin/artifacts/oci/manifest.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close().closeAllConnections());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe('the credentials for a registry', () => {
  it('go to nobody to whom the registry redirects, and who asks for them', async () => {
    const stranger = await serve((_, response) => {
      const challenge = `Bearer realm="http://${stranger.host}/token",service="registry"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const blob = Buffer.from('image');
    const sha256 = createHash('sha256').update(blob).digest('hex');
    const files = [{ name: 'enclave.eif', mediaType: 'a/b', size: blob.length, sha256 }];
    const registry = await serve((request, response) => {
      if (request.url?.includes('/manifests/') === true)
        response.end(Buffer.from(encodeManifest('1.4.0', files as never)));
      else response.writeHead(307, { location: `http://${stranger.host}/blob` }).end();
    });
    const location = parseLocation(`oci://${registry.host}/releases`);
    if (location.kind !== 'oci') throw new TypeError('expected a registry');
    const releases = new RegistryReleases(
      createHttpClient(),
      location,
      () => Promise.resolve({ kind: 'password', username: 'user', password: 'secret' }),
      'pull',
    );
    const read = releases.read('1.4.0', 'enclave.eif', 0, AbortSignal.timeout(10_000));
    await expect(read).rejects.toMatchObject({ code: 'RELEASE_SOURCE_REFUSED' });
    expect(stranger.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });
});
