import { parseJson } from '../../../shared/json/index.ts';
import { ReleaseError } from '../errors.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import type { FindRegistryCredentials, RegistryCredentials } from './credentials.ts';
import { type HttpClient, type HttpRequest, type HttpResponse, isLoopback } from './http.ts';

const MAX_TOKEN_BYTES = 64 * 1024;

/** Rights on a repository for which tokens are asked. */
export type RegistryAccess = 'pull' | 'pull,push';

/** Connection to one repository of one registry, which authorises itself when it is asked to. */
export class RegistrySession {
  readonly #client: HttpClient;
  readonly #find: FindRegistryCredentials;
  readonly #registry: string;
  readonly #repository: string;
  readonly #access: RegistryAccess;
  #authorization: string | undefined;

  constructor(
    client: HttpClient,
    { registry, repository }: { readonly registry: string; readonly repository: string },
    find: FindRegistryCredentials,
    access: RegistryAccess,
  ) {
    this.#client = client;
    this.#find = find;
    this.#registry = registry;
    this.#repository = repository;
    this.#access = access;
  }

  /** URL of a resource of the repository: `manifests/1.4.0`, `blobs/sha256:…`. */
  url(path: string): URL {
    const [host = ''] = this.#registry.split(':');
    const scheme = isLoopback(host) && this.#isPlain ? 'http' : 'https';
    return new URL(`${scheme}://${this.#registry}/v2/${this.#repository}/${path}`);
  }

  /** A registry on this machine is asked without TLS where it does not speak it. */
  #isPlain = false;

  /**
   * Asks the registry; credentials go to the registry's own host and to the realm that it names, by TLS.
   *
   * @param body makes the body, which may have to be sent a second time
   * @throws ReleaseError RELEASE_SOURCE_REFUSED, RELEASE_SOURCE_UNREACHABLE
   */
  async ask(
    request: Omit<HttpRequest, 'body'>,
    body?: () => AsyncIterable<Uint8Array>,
  ): Promise<HttpResponse> {
    const first = await this.#send(request, body);
    if (first.status !== 401) return first;
    const challenge = parseChallenge(first.headers['www-authenticate']);
    first.discard();
    // Whoever the registry has sent us to may not say where its credentials are to go.
    if (first.url.host !== request.url.host) throw this.#refused(401);
    this.#authorization = await this.#answer(challenge, request.signal);
    const second = await this.#send(request, body);
    if (second.status !== 401 && second.status !== 403) return second;
    second.discard();
    throw this.#refused(second.status);
  }

  async #send(
    request: Omit<HttpRequest, 'body'>,
    body?: () => AsyncIterable<Uint8Array>,
  ): Promise<HttpResponse> {
    const isOwn = request.url.host === this.#registry || request.url.host === this.url('').host;
    const headers = {
      ...request.headers,
      ...(this.#authorization === undefined || !isOwn ? {} : { authorization: this.#authorization }),
    };
    const send = async (url: URL) =>
      await this.#client({ ...request, url, headers, ...(body === undefined ? {} : { body: body() }) });
    try {
      return await send(request.url);
    } catch (error) {
      const isTls =
        error instanceof ReleaseError && /^(?:EPROTO|ERR_SSL_)/.test(String(error.details['reason']));
      if (!isTls || this.#isPlain || !isLoopback(request.url.hostname)) throw error;
      this.#isPlain = true;
      return await send(new URL(request.url.href.replace(/^https:/, 'http:')));
    }
  }

  async #answer(challenge: Challenge | undefined, signal: AbortSignal): Promise<string> {
    const credentials = await this.#find(this.#registry);
    if (challenge?.scheme === 'basic' && credentials?.kind === 'password') return basic(credentials);
    if (challenge?.scheme === 'bearer')
      return `Bearer ${await this.#fetchToken(challenge, credentials, signal)}`;
    throw this.#refused(401);
  }

  async #fetchToken(
    { realm, service }: Challenge & { scheme: 'bearer' },
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    if (!URL.canParse(realm)) throw this.#refused(401);
    const url = new URL(realm);
    // The scope is ours, whatever the registry names: no token for more than is done with it.
    const scope = `repository:${this.#repository}:${this.#access}`;
    const isToken = credentials?.kind === 'identity-token';
    const form = new URLSearchParams({
      ...(service === undefined ? {} : { service }),
      scope,
      ...(isToken
        ? { grant_type: 'refresh_token', client_id: 'holdfast', refresh_token: credentials.token }
        : {}),
    });
    const text = Buffer.from(form.toString());
    if (!isToken) for (const [name, value] of form) url.searchParams.append(name, value);
    const response = await this.#client(
      isToken
        ? {
            method: 'POST',
            url,
            signal,
            headers: {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': String(text.length),
            },
            body: once(text),
          }
        : {
            method: 'GET',
            url,
            signal,
            headers: credentials === undefined ? {} : { authorization: basic(credentials) },
          },
    );
    const bytes = await readAll(response, MAX_TOKEN_BYTES);
    if (response.status !== 200) throw this.#refused(response.status);
    const token = readToken(bytes);
    if (token === undefined) throw this.#refused(response.status);
    return token;
  }

  #refused(status: number): ReleaseError {
    return new ReleaseError('RELEASE_SOURCE_REFUSED', 'the registry does not let us', {
      registry: this.#registry,
      repository: this.#repository,
      status,
    });
  }
}

/** Reads a body whole. @throws ReleaseError RELEASE_MANIFEST_MALFORMED for one that is too long */
export async function readAll({ chunks }: HttpResponse, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new ReleaseError('RELEASE_MANIFEST_MALFORMED', 'the response of the registry is too long', {
        maxBytes,
      });
    }
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function readToken(bytes: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_TOKEN_BYTES, maxDepth: 8 });
  } catch {
    return undefined;
  }
  const { token, access_token: accessToken } = (value ?? {}) as Record<string, unknown>;
  const found = [token, accessToken].find((each) => typeof each === 'string' && /^[\x21-\x7e]+$/.test(each));
  return typeof found === 'string' ? found : undefined;
}

function basic(credentials: RegistryCredentials): string {
  if (credentials.kind !== 'password') throw new RangeError('expected a name and a password');
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}
