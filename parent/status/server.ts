import { createServer, type RequestListener } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { createBlockList } from '../egress/addresses.ts';
import { ParentOptionError } from '../errors.ts';

export interface StatusServerOptions {
  /** A loopback address: what is shown is for the operator of this machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly status: () => object;
  readonly isReady: () => boolean;
  readonly metrics: () => string;
}

export interface StatusServer {
  readonly url: string;
  close(): Promise<void>;
}

const loopback = createBlockList(['127.0.0.0/8', '::1/128']);

/**
 * GET /status (JSON), /healthz (the parent runs), /readyz (its node serves), /metrics (Prometheus).
 * @throws ParentOptionError OPTION_INVALID for an address that is not loopback or not to be had
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { host, port } = options;
  const family = isIP(host);
  if (family === 0 || !loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')) {
    throw new ParentOptionError('OPTION_INVALID', 'the status page listens on loopback alone', { host });
  }
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, createListener(options));
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new ParentOptionError('OPTION_INVALID', 'cannot listen for the status page', { host, port }, error),
      );
    });
    server.listen({ host, port }, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${family === 4 ? address.address : `[${address.address}]`}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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
