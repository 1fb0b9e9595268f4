import { readFile } from 'node:fs/promises';
import {
  AuthorizationError,
  connect,
  credsAuthenticator,
  type NatsConnection,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node';
import { JetStreamApiError } from '@nats-io/jetstream';
import { PeerLinkError, type PeerLinkErrorCode } from '../errors.ts';
import type { NatsNames } from './names.ts';
import type { NatsIdentity, NatsOptions } from './options.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 500;
const PING_MS = 10_000;

/**
 * Connects to one of the servers, with TLS that both ends authenticate. With files it goes from server to server by itself
 * once it is connected, and reads them anew each time; with secrets the connection ends with the server.
 * @param identity what the source of the options has now; undefined with files
 * @throws Error of the library, or of the system
 */
export async function connectNats(
  options: NatsOptions,
  names: NatsNames,
  node: number,
  identity: NatsIdentity | undefined,
): Promise<NatsConnection> {
  const { servers } = options;
  const credentials =
    'identity' in options ? identity?.credentials : await readCredentials(options.credentials);
  const authenticator =
    credentials === undefined ? undefined : credsAuthenticator(new TextEncoder().encode(credentials));
  return await connect({
    servers: [...servers],
    name: `holdfast-node-${node}`,
    ...('identity' in options
      ? // Whoever connects anew reads the secrets anew.
        { tls: { ...identity?.tls }, reconnect: false }
      : {
          tls: { caFile: options.tls.ca, certFile: options.tls.certificate, keyFile: options.tls.key },
        }),
    ...(authenticator === undefined ? {} : { authenticator }),
    inboxPrefix: names.inbox(node),
    // The configuration says where connections go, and no server.
    ignoreClusterUpdates: true,
    ignoreAuthErrorAbort: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
  });
}

async function readCredentials(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : await readFile(path, 'utf8');
}

/** Code of an error of the library, by its class. */
export function codeOf(error: unknown): PeerLinkErrorCode {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (
      one instanceof AuthorizationError ||
      one instanceof PermissionViolationError ||
      one instanceof UserAuthenticationExpiredError
    ) {
      return 'NOT_AUTHORISED';
    }
    if (one instanceof PeerLinkError) return one.code;
    if (one instanceof JetStreamApiError) return 'STREAM_UNAVAILABLE';
    if (isTlsError(one)) return 'TLS_FAILED';
    if (one instanceof TimeoutError) return 'CONNECT_TIMEOUT';
  }
  return 'CONNECT_FAILED';
}

/** Tells OpenSSL's errors, and those of Node's verification, which are named as OpenSSL names them. */
function isTlsError(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(code);
}
