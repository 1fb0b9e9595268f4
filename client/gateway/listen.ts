import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, isIP } from 'node:net';
import { ONE_AT_A_TIME } from '../../shared/http/index.ts';
import { GatewayError } from './errors.ts';

/** Certificate and key of a listener in PEM, and the authorities of its clients. */
export interface GatewayTls {
  readonly certificate: Uint8Array | string;
  readonly key: Uint8Array | string;
  /** Authorities in PEM whose certificates a client must show; undefined asks for none. */
  readonly clients?: Uint8Array | string | undefined;
}

/** Address of a listener. */
export type GatewayListen =
  | { readonly unix: string }
  | {
      /** By default 127.0.0.1. */
      readonly host?: string | undefined;
      /** A free one for 0. */
      readonly port: number;
      readonly tls?: GatewayTls | undefined;
    };

/** Where a listener is reached. */
export interface GatewayAddress {
  /** `http://host:port`, `https://host:port` or `unix:path`. */
  readonly url: string;
  /** Port, or undefined for a Unix socket. */
  readonly port: number | undefined;
}

/** Longest idle time of a connection: longer than clients keep one (Java: 60 seconds), so that it is they who close it. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** How long clients may take, in milliseconds, and how many may be connected. */
export interface ListenLimits {
  /** For a TLS handshake. */
  readonly handshakeMs: number;
  /** From the first byte of a request to the end of its head. */
  readonly headMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  /** Between two checks of open connections against the times above. */
  readonly checkMs: number;
  /**
   * Without a byte in either direction until a connection is closed: a client that does not read its response. Longer
   * than a door waits for its nodes.
   */
  readonly stalledMs: number;
  readonly maxConnections: number;
  /** Connections from which on idle ones are closed, so that nobody keeps others out by doing nothing. */
  readonly maxWithIdle: number;
}

export const LISTEN_LIMITS: ListenLimits = {
  handshakeMs: 5_000,
  headMs: 5_000,
  requestMs: 10_000,
  checkMs: 1_000,
  stalledMs: 90_000,
  maxConnections: 1_024,
  maxWithIdle: 768,
};

/** The user of the process alone may connect to a Unix socket. */
const SOCKET_UMASK = 0o177;

/**
 * Refuses a listener that others than this host could reach and use.
 *
 * @param isAuthenticated whether the protocol itself authenticates each request
 * @throws GatewayError GATEWAY_LISTEN_EXPOSED
 */
export function assertNotExposed(listen: GatewayListen, isAuthenticated: boolean): void {
  if ('unix' in listen) return;
  const { host = '127.0.0.1', tls } = listen;
  if (isLoopback(host)) return;
  const hasAuthentication = isAuthenticated || tls?.clients !== undefined;
  if (tls !== undefined && hasAuthentication) return;
  throw new GatewayError(
    'GATEWAY_LISTEN_EXPOSED',
    `${host} is not loopback: expected ${tls === undefined ? 'TLS' : 'authentication of clients'}`,
    { host, tls: tls !== undefined, authentication: hasAuthentication },
  );
}

/** Whether an address is of this host alone. Names are not: what they stand for may change. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Creates an HTTP or HTTPS server with the kernel's limits of time and size. @throws GatewayError GATEWAY_TLS_MALFORMED */
export function createGatewayServer(listen: GatewayListen, limits: ListenLimits): Server {
  const tls = 'unix' in listen ? undefined : listen.tls;
  const common = {
    ...ONE_AT_A_TIME,
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: limits.checkMs,
    noDelay: true,
  };
  if (tls === undefined) return createHttpServer(common);
  const { certificate, key, clients } = tls;
  try {
    return createHttpsServer({
      ...common,
      cert: Buffer.from(certificate),
      key: Buffer.from(key),
      ...(clients === undefined
        ? {}
        : { ca: Buffer.from(clients), requestCert: true, rejectUnauthorized: true }),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: limits.handshakeMs,
    });
  } catch {
    // The cause is left out: OpenSSL may quote what it could not read.
    throw new GatewayError('GATEWAY_TLS_MALFORMED', 'expected a certificate, its key and authorities in PEM');
  }
}

/** Starts to listen. @throws GatewayError GATEWAY_LISTEN_FAILED */
export async function startListening(server: Server, listen: GatewayListen): Promise<GatewayAddress> {
  if ('unix' in listen) await removeStaleSocket(listen.unix);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const done = () => {
        server.off('error', reject);
        resolve();
      };
      if ('unix' in listen) listenPrivately(server, listen.unix, done);
      else server.listen({ host: listen.host ?? '127.0.0.1', port: listen.port }, done);
    });
  } catch (error) {
    const place =
      'unix' in listen ? { unix: listen.unix } : { host: listen.host ?? '127.0.0.1', port: listen.port };
    throw new GatewayError('GATEWAY_LISTEN_FAILED', 'the address is not to be had', place, error);
  }
  if ('unix' in listen) return { url: `unix:${listen.unix}`, port: undefined };
  const { address, port, family } = server.address() as AddressInfo;
  const scheme = listen.tls === undefined ? 'http' : 'https';
  return { url: `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`, port };
}

/** Makes the socket with the rights of its owner alone; bind(2) happens before `listen` returns. */
function listenPrivately(server: Server, path: string, done: () => void): void {
  const former = process.umask(SOCKET_UMASK);
  try {
    server.listen(path, () => {
      chmodSync(path, 0o600);
      done();
    });
  } finally {
    process.umask(former);
  }
}

/** Removes a socket that nobody listens on any more. @throws GatewayError GATEWAY_LISTEN_FAILED for anything else there */
async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const isStale = found.isSocket() && (await isRefused(path));
  if (!isStale)
    throw new GatewayError('GATEWAY_LISTEN_FAILED', 'another process listens there', { unix: path });
  unlinkSync(path);
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
