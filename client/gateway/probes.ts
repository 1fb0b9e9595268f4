import { createServer, type ServerResponse } from 'node:http';
import { ONE_AT_A_TIME, takeOneAtATime, type WholeRequest } from '../../shared/http/index.ts';
import { type GatewayAddress, startListening } from './listen.ts';
import type { Readiness } from './readiness.ts';

/** What probes are answered with. */
export interface Probes {
  /** Whether a node is verified and answers; cheap, asks nobody. */
  readonly readiness: () => Readiness;
}

const MAX_CONNECTIONS = 64;
const TIMEOUT_MS = 5_000;

/**
 * Answers GET and HEAD of `/healthz` (the process runs) and `/readyz` (a node is verified and answers; else 503 with the
 * code); false for every other request.
 */
export function answerProbe(
  { method, url }: Pick<WholeRequest, 'method' | 'url'>,
  response: ServerResponse,
  { readiness }: Probes,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (url === '/healthz') send(response, 200, { healthy: true });
  else if (url === '/readyz') {
    const { isReady, code, nodes } = readiness();
    send(response, isReady ? 200 : 503, { ready: isReady, code, nodes });
  } else return false;
  return true;
}

/** Opens a listener for probes alone. @throws GatewayError GATEWAY_LISTEN_FAILED */
export async function startProbeServer(
  listen: { readonly host?: string | undefined; readonly port: number },
  probes: Probes,
): Promise<{ readonly address: GatewayAddress; close(): Promise<void> }> {
  const server = createServer({
    ...ONE_AT_A_TIME,
    requestTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
    keepAliveTimeout: TIMEOUT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  takeOneAtATime(
    server,
    (request, response) => {
      if (!answerProbe(request, response, probes)) send(response, 404, { error: 'NOT_FOUND' });
    },
    (response) => send(response, 411, { error: 'LENGTH_REQUIRED' }),
  );
  const address = await startListening(server, listen);
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
