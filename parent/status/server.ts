import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { LENGTH_REQUIRED_STATUS, ONE_AT_A_TIME, takeOneAtATime } from '../../shared/http/index.ts';
import { parseTilePath } from '../../audit/log/index.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { TileFolder } from '../log/tile-folder.ts';
import { isLoopback } from './loopback.ts';

const LOG_PREFIX = '/log/';

/**
 * Address of the status page. The page is for the operators of this machine: a loopback address (a free port for 0), or
 * an open socket that is loopback's or a Unix one.
 */
export type StatusAddress =
  { readonly host?: string; readonly port: number } | { readonly descriptor: number };

export interface StatusServerOptions {
  readonly listen: StatusAddress;
  readonly status: () => object;
  readonly isReady: () => boolean;
  readonly metrics: () => string;
  /** Folder of the node's log; undefined where the configuration names none. */
  readonly files?: Pick<TileFolder, 'pathOf'> | undefined;
}

export interface StatusServer {
  /** Base URL; undefined where the page listens on a Unix socket. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/**
 * Starts the status page: GET /status (JSON), /healthz (the parent runs), /readyz (its node serves), /metrics
 * (Prometheus), /log/checkpoint and /log/tile/… (the node's log, C2SP tlog-tiles).
 * @throws ParentOptionError OPTION_INVALID for an address that is not loopback or not to be had
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { listen } = options;
  const at = 'descriptor' in listen ? { fd: listen.descriptor } : { host: '127.0.0.1', ...listen };
  if ('host' in at) assertLoopback(at.host);
  const server = createServer({ ...ONE_AT_A_TIME, requestTimeout: 5_000, headersTimeout: 5_000 });
  // No operation takes a body, so bodies are dropped.
  takeOneAtATime(server, createListener(options), (response) => {
    sendJson(response, LENGTH_REQUIRED_STATUS, { error: 'LENGTH_REQUIRED' });
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', 'cannot listen for the status page', { ...at }, error));
    });
    server.listen(at, resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  try {
    return { url: urlOf(server.address()), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** URL of an address. @throws ParentOptionError OPTION_INVALID */
function urlOf(address: AddressInfo | string | null): string | undefined {
  // Node knows no address of a Unix socket that it was given.
  if (address === null || typeof address === 'string') return undefined;
  const family = assertLoopback(address.address);
  return `http://${family === 4 ? address.address : `[${address.address}]`}:${address.port}`;
}

/** Asserts a loopback address, and returns 4 or 6. @throws ParentOptionError OPTION_INVALID */
function assertLoopback(host: string): number {
  if (!isLoopback(host)) {
    throw new ParentOptionError('OPTION_INVALID', 'expected a loopback address for the status page', {
      host,
    });
  }
  return isIP(host);
}

/** Sends a file of the log: the checkpoint, or a tile. The path is one that tlog-tiles knows, and so leads nowhere else. */
async function sendLogFile(
  response: ServerResponse,
  name: string,
  files: Pick<TileFolder, 'pathOf'>,
): Promise<void> {
  const isCheckpoint = name === 'checkpoint';
  const isKnown = isCheckpoint || parseTilePath(name) !== undefined;
  const body = isKnown ? await readFile(files.pathOf(name)).catch(() => undefined) : undefined;
  if (body === undefined) {
    sendJson(response, 404, { error: 'NOT_FOUND' });
    return;
  }
  response.writeHead(200, {
    'content-type': isCheckpoint ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    'content-length': body.length,
    'cache-control': isCheckpoint ? 'no-store' : 'max-age=31536000, immutable',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function createListener({ status, isReady, metrics, files }: StatusServerOptions): RequestListener {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendJson(response, 405, { error: 'METHOD_NOT_ALLOWED' });
      return;
    }
    if (request.url?.startsWith(LOG_PREFIX) === true && files !== undefined) {
      void sendLogFile(response, request.url.slice(LOG_PREFIX.length), files);
      return;
    }
    switch (request.url ?? '') {
      case '/status':
        sendJson(response, 200, status());
        break;
      case '/healthz':
        sendJson(response, 200, { healthy: true });
        break;
      case '/readyz':
        sendJson(response, isReady() ? 200 : 503, { ready: isReady() });
        break;
      case '/metrics':
        send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metrics());
        break;
      default:
        sendJson(response, 404, { error: 'NOT_FOUND' });
    }
  };
}
