import { ReleaseError } from '../errors.ts';
import type { ReleaseLocation } from '../location.ts';
import type { ReleaseDestination, ReleaseFile, ReleaseStream } from '../source.ts';
import type { FindRegistryCredentials } from './credentials.ts';
import type { HttpClient, HttpResponse } from './http.ts';
import {
  digestOf,
  EMPTY_CONFIG,
  EMPTY_CONFIG_BYTES,
  encodeManifest,
  MANIFEST_MEDIA_TYPE,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from './manifest.ts';
import { readAll, type RegistryAccess, RegistrySession } from './session.ts';

/**
 * Releases in an OCI registry: the tag is the version, each file a layer that is named by its title.
 *
 * Source: OCI Distribution Specification 1.1.
 */
export class RegistryReleases implements ReleaseDestination {
  readonly location: string;
  readonly #session: RegistrySession;
  readonly #files = new Map<string, ReadonlyMap<string, string>>();

  constructor(
    client: HttpClient,
    location: ReleaseLocation & { readonly kind: 'oci' },
    credentials: FindRegistryCredentials,
    access: RegistryAccess,
  ) {
    this.location = location.text;
    this.#session = new RegistrySession(client, location, credentials, access);
  }

  async read(version: string, file: string, offset: number, signal: AbortSignal): Promise<ReleaseStream> {
    const files = this.#files.get(version) ?? (await this.#readManifest(version, signal));
    const digest = files.get(file);
    if (digest === undefined) throw notFound(version, file);
    const response = await this.#session.ask({
      method: 'GET',
      url: this.#session.url(`blobs/${digest}`),
      headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
      signal,
    });
    if (response.status === 206 && isRangeFrom(response, offset)) return { offset, chunks: response.chunks };
    if (response.status === 200) return { offset: 0, chunks: response.chunks };
    response.discard();
    // A range that the registry does not take: all of it, then.
    if (offset > 0) return await this.read(version, file, 0, signal);
    throw response.status === 404 ? notFound(version, file) : unexpected(response, 'blob');
  }

  async write(
    version: string,
    files: readonly ReleaseFile[],
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<readonly string[]> {
    const manifest = encodeManifest(version, files);
    const present = await this.#getManifest(version, signal);
    const total = files.reduce((sum, { size }) => sum + size, 0);
    if (present !== undefined) {
      if (digestOf(present) === digestOf(manifest)) {
        onProgress(total, total);
        return [];
      }
      throw new ReleaseError('RELEASE_MIRROR_DIFFERS', 'the registry holds another release of this version', {
        location: this.location,
        version,
        expected: digestOf(manifest),
        actual: digestOf(present),
      });
    }
    const written: string[] = [];
    await this.#putBlob(EMPTY_CONFIG, () => chunksOf(EMPTY_CONFIG_BYTES), signal);
    let done = 0;
    for (const { name, size, sha256, open } of files) {
      const report = (bytes: number) => onProgress(done + bytes, total);
      const isNew = await this.#putBlob(
        { digest: `sha256:${sha256}`, size },
        () => counted(open(), report),
        signal,
      );
      if (isNew) written.push(name);
      done += size;
      onProgress(done, total);
    }
    const response = await this.#session.ask(
      {
        method: 'PUT',
        url: this.#session.url(`manifests/${version}`),
        headers: { 'content-type': MANIFEST_MEDIA_TYPE, 'content-length': String(manifest.length) },
        signal,
      },
      () => chunksOf(manifest),
    );
    response.discard();
    if (response.status !== 201) throw unexpected(response, 'manifest');
    this.#files.delete(version);
    return written;
  }

  async #readManifest(version: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const bytes = await this.#getManifest(version, signal);
    if (bytes === undefined) throw notFound(version);
    const files = parseManifest(bytes);
    this.#files.set(version, files);
    return files;
  }

  async #getManifest(version: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const response = await this.#session.ask({
      method: 'GET',
      url: this.#session.url(`manifests/${version}`),
      headers: { accept: MANIFEST_MEDIA_TYPE },
      signal,
    });
    if (response.status === 200) return await readAll(response, MAX_MANIFEST_BYTES);
    response.discard();
    if (response.status === 404) return undefined;
    throw unexpected(response, 'manifest');
  }

  /** Uploads a blob in one piece, unless it is there. @returns false where it was there */
  async #putBlob(
    { digest, size }: { readonly digest: string; readonly size: number },
    open: () => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const head = await this.#session.ask({
      method: 'HEAD',
      url: this.#session.url(`blobs/${digest}`),
      signal,
    });
    head.discard();
    if (head.status === 200) return false;
    const begun = await this.#session.ask({
      method: 'POST',
      url: this.#session.url('blobs/uploads/'),
      headers: { 'content-length': '0' },
      signal,
    });
    begun.discard();
    const { location } = begun.headers;
    if (begun.status !== 202 || typeof location !== 'string' || !URL.canParse(location, begun.url)) {
      throw unexpected(begun, 'upload');
    }
    const url = new URL(location, begun.url);
    url.searchParams.set('digest', digest);
    const put = await this.#session.ask(
      {
        method: 'PUT',
        url,
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
        signal,
      },
      open,
    );
    put.discard();
    if (put.status !== 201) throw unexpected(put, 'upload');
    return true;
  }
}

function isRangeFrom({ headers }: HttpResponse, offset: number): boolean {
  return String(headers['content-range']).startsWith(`bytes ${offset}-`);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  report: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    report(length);
    yield chunk;
  }
}

function notFound(version: string, file?: string): ReleaseError {
  return new ReleaseError('RELEASE_NOT_FOUND', 'the registry has no such release or file', {
    version,
    ...(file === undefined ? {} : { file }),
  });
}

/** 429 and 5xx may be otherwise a moment later. */
function unexpected({ status, url }: HttpResponse, what: string): ReleaseError {
  const isTransient = status === 429 || status >= 500;
  return new ReleaseError(
    isTransient ? 'RELEASE_SOURCE_UNREACHABLE' : 'RELEASE_SOURCE_REFUSED',
    `the registry does not give or take the ${what}`,
    { host: url.host, status },
  );
}
