import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FindRegistryCredentials, RegistryCredentials } from '../../../admin/artifacts/index.ts';
import { JsonError, parseJson } from '../../../shared/json/index.ts';
import type { Io } from '../../common/command.ts';
import { CliError } from '../../common/errors.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_HELPER_BYTES = 64 * 1024;
const HELPER_TIMEOUT_MS = 30_000;
/** User name by which a helper says that the secret is a token of an identity. */
const TOKEN_USER = '<token>';

/**
 * Finds credentials for registries where docker, podman and oras keep them: the file that REGISTRY_AUTH_FILE names, or
 * config.json in DOCKER_CONFIG or ~/.docker, and the credential helpers that it names.
 */
export function createCredentialsFinder({
  env = process.env,
  signal,
}: Pick<Io, 'env' | 'signal'>): FindRegistryCredentials {
  const { REGISTRY_AUTH_FILE: file, DOCKER_CONFIG: folder, HOME: home } = env;
  const path =
    file ?? (folder === undefined ? home && join(home, '.docker/config.json') : join(folder, 'config.json'));
  return async (registry) => {
    const config = path === undefined || path === '' ? undefined : await readConfig(path);
    if (config === undefined) return undefined;
    const helper = config.credHelpers?.[registry] ?? config.credsStore;
    const own = config.auths?.[registry] ?? config.auths?.[`https://${registry}`];
    if (helper !== undefined && own?.auth === undefined && own?.identitytoken === undefined) {
      return await askHelper(helper, registry, { env, signal });
    }
    return own === undefined ? undefined : readEntry(own, path ?? '');
  };
}

interface Entry {
  readonly auth?: string;
  readonly identitytoken?: string;
}

interface Config {
  readonly auths?: Readonly<Record<string, Entry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

async function readConfig(path: string): Promise<Config | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(path);
  });
  if (bytes === undefined) return undefined;
  try {
    const value = parseJson(bytes, { maxBytes: MAX_CONFIG_BYTES, maxDepth: 16 });
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw unreadable(path);
}

function readEntry({ auth, identitytoken: token }: Entry, path: string): RegistryCredentials | undefined {
  if (typeof token === 'string' && token !== '') return { kind: 'identity-token', token };
  if (typeof auth !== 'string') return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) throw unreadable(path);
  return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Asks a credential helper: a program `docker-credential-NAME`, which gets the registry on standard input.
 *
 * Source: docker/docker-credential-helpers, "Protocol".
 */
async function askHelper(
  name: string,
  registry: string,
  { env, signal }: { env: NonNullable<Io['env']>; signal: AbortSignal },
): Promise<RegistryCredentials | undefined> {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw unreadable('credHelpers');
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const child = spawn(`docker-credential-${name}`, ['get'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: env,
    timeout: HELPER_TIMEOUT_MS,
    signal,
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
    if (out.length > MAX_HELPER_BYTES) child.kill();
  });
  child.on('error', () => resolve(undefined));
  child.on('close', (code) => resolve(code === 0 ? out : undefined));
  child.stdin.on('error', () => {});
  child.stdin.end(registry);
  const text = await promise;
  if (text === undefined) return undefined;
  try {
    const { Username: username, Secret: secret } = JSON.parse(text) as {
      Username?: unknown;
      Secret?: unknown;
    };
    if (typeof username !== 'string' || typeof secret !== 'string') return undefined;
    return username === TOKEN_USER
      ? { kind: 'identity-token', token: secret }
      : { kind: 'password', username, password: secret };
  } catch {
    return undefined;
  }
}

function unreadable(path: string): CliError {
  return new CliError('REGISTRY_CONFIG_UNREADABLE', 'the file of credentials for registries cannot be read', {
    path,
  });
}
