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
import type { PeerLinkErrorCode } from '../errors.ts';
import type { NatsNames } from './names.ts';
import type { NatsOptions } from './options.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 500;
const PING_MS = 10_000;

/**
 * Connects to one of the servers, with TLS that both ends authenticate. Once connected it goes from server to server by
 * itself, and reads the certificates anew each time.
 * @throws Error of the library, or of the system
 */
export async function connectNats(
  options: NatsOptions,
  names: NatsNames,
  node: number,
): Promise<NatsConnection> {
  const { servers, tls, credentials } = options;
  const authenticator =
    credentials === undefined ? undefined : credsAuthenticator(new Uint8Array(await readFile(credentials)));
  return await connect({
    servers: [...servers],
    name: `holdfast-node-${node}`,
    tls: { caFile: tls.ca, certFile: tls.certificate, keyFile: tls.key },
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
