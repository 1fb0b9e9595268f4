import { createServer, type RequestListener } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { ParentOptionError } from '../errors.ts';
import { isLoopback } from './loopback.ts';

/**
 * Where the status page listens: what is shown is for the operators of this machine, so on a loopback address (a free
 * port for 0), or at a socket that is open already and is loopback's or of the Unix domain.
 */
export type StatusAddress =
  { readonly host?: string; readonly port: number } | { readonly descriptor: number };

export interface StatusServerOptions {
  readonly listen: StatusAddress;
  readonly status: () => object;
  readonly isReady: () => boolean;
  readonly metrics: () => string;
}

export interface StatusServer {
  /** Undefined where it listens at a socket of the Unix domain. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/**
 * GET /status (JSON), /healthz (the parent runs), /readyz (its node serves), /metrics (Prometheus).
 * @throws ParentOptionError OPTION_INVALID for an address that is not loopback or not to be had
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { listen } = options;
  const at = 'descriptor' in listen ? { fd: listen.descriptor } : { host: '127.0.0.1', ...listen };
  if ('host' in at) assertLoopback(at.host);
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, createListener(options));
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

/** @throws ParentOptionError OPTION_INVALID */
function urlOf(address: AddressInfo | string | null): string | undefined {
  // Node knows no address of a socket of the Unix domain that it was given.
  if (address === null || typeof address === 'string') return undefined;
  const family = assertLoopback(address.address);
  return `http://${family === 4 ? address.address : `[${address.address}]`}:${address.port}`;
}

/** Returns 4 or 6. @throws ParentOptionError OPTION_INVALID */
function assertLoopback(host: string): number {
  if (!isLoopback(host)) {
    throw new ParentOptionError('OPTION_INVALID', 'the status page listens on loopback alone', { host });
  }
  return isIP(host);
}

function createListener({ status, isReady, metrics }: StatusServerOptions): RequestListener {
  return (request, response) => {
    const send = (code: number, type: string, body: string) => {
      response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const sendJson = (code: number, body: object) =>
      send(code, 'application/json', `${JSON.stringify(body)}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendJson(405, { error: 'METHOD_NOT_ALLOWED' });
      return;
    }
    switch (request.url ?? '') {
      case '/status':
        sendJson(200, status());
        break;
      case '/healthz':
        sendJson(200, { healthy: true });
        break;
      case '/readyz':
        sendJson(isReady() ? 200 : 503, { ready: isReady() });
        break;
      case '/metrics':
        send(200, 'text/plain; version=0.0.4; charset=utf-8', metrics());
        break;
      default:
        sendJson(404, { error: 'NOT_FOUND' });
    }
  };
}
