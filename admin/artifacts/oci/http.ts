import { type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent, request as requestEncrypted } from 'node:https';
import { AdminError } from '../../errors.ts';
import { ReleaseError } from '../errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Chunks of the body, and their length in the header `content-length`. */
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly url: URL;
  /** Bytes of the body, each chunk within its deadline. @throws ReleaseError RELEASE_SOURCE_UNREACHABLE */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Leaves the body unread, and frees its connection. */
  readonly discard: () => void;
}

/** One request; redirections of GET and HEAD are followed. @throws ReleaseError RELEASE_SOURCE_… */
export type HttpClient = (request: HttpRequest) => Promise<HttpResponse>;

/** Time in milliseconds without a byte, after which a connection counts as broken. */
const IDLE_TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True for a host that may be spoken to without TLS: this machine alone. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname);
}

/**
 * Makes a client of HTTPS, and of plain HTTP on this machine alone.
 *
 * @param ca authorities in PEM that are trusted, and no others; those of Node when left out
 */
export function createHttpClient(ca?: Uint8Array): HttpClient {
  const agent = new Agent({
    minVersion: 'TLSv1.2',
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
  });
  return async (request) => {
    let { url, headers = {} } = request;
    for (let followed = 0; followed <= MAX_REDIRECTS; followed += 1) {
      const response = await send({ ...request, url, headers }, agent);
      const { location } = response.headers;
      const isFollowed = request.method === 'GET' || request.method === 'HEAD';
      if (!isFollowed || !REDIRECTS.has(response.statusCode ?? 0) || location === undefined) {
        const { statusCode = 0 } = response;
        return {
          status: statusCode,
          headers: response.headers,
          url,
          chunks: readBody(response, url, request.signal),
          discard: () => response.destroy(),
        };
      }
      response.destroy();
      const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
      if (next === undefined) throw unreachable(url, 'REDIRECT');
      // Another origin learns nothing of what was meant for the first.
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      url = next;
    }
    throw unreachable(url, 'REDIRECTS');
  };
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  );
}

async function send(
  { method, url, headers, body, signal }: HttpRequest,
  agent: Agent,
): Promise<IncomingMessage> {
  const isPlain = url.protocol === 'http:' && isLoopback(url.hostname);
  if (!isPlain && url.protocol !== 'https:') throw unreachable(url, 'NOT_HTTPS');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { method, signal, timeout: IDLE_TIMEOUT_MS, ...(headers === undefined ? {} : { headers }) };
  const request = isPlain ? requestPlain(url, options) : requestEncrypted(url, { ...options, agent });
  request.on('response', resolve);
  request.on('error', reject);
  request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
  try {
    if (body !== undefined) await writeBody(request, body);
    request.end();
    return await promise;
  } catch (error) {
    promise.catch(() => {});
    request.destroy();
    if (error instanceof AdminError || error instanceof ReleaseError) throw error;
    throw failure(error, url, signal);
  }
}

async function writeBody(request: NodeJS.WritableStream, body: AsyncIterable<Uint8Array>): Promise<void> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  request.once('error', failed.reject);
  for await (const chunk of body) {
    if (request.write(chunk)) continue;
    const drained = Promise.withResolvers<void>();
    request.once('drain', drained.resolve);
    await Promise.race([drained.promise, failed.promise]);
  }
}

async function* readBody(
  response: IncomingMessage,
  url: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw failure(error, url, signal);
  } finally {
    response.destroy();
  }
}

function failure(error: unknown, url: URL, signal: AbortSignal): Error {
  if (signal.aborted) return new AdminError('INTERRUPTED', 'interrupted');
  return unreachable(url, (error as NodeJS.ErrnoException).code ?? 'BROKEN', error);
}

function unreachable(url: URL, reason: string, cause?: unknown): ReleaseError {
  return new ReleaseError(
    'RELEASE_SOURCE_UNREACHABLE',
    'the registry cannot be asked',
    { host: url.host, reason },
    cause,
  );
}
