import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { BodyBudget, ONE_AT_A_TIME, takeOneAtATime, type WholeRequest } from '../../shared/http/index.ts';
import type { RequestHead } from '../../shared/http-signature/index.ts';
import { MAX_REQUEST_BYTES } from '../../shared/api/bodies.ts';
import { ENCLAVE_PORT } from '../../shared/transport/ports.ts';
import type { Listener, Transport } from '../../shared/transport/transport.ts';
import { ApiError } from './errors.ts';
import { describeRefusal } from './status.ts';
import type { TlsIdentity } from './tls-identity.ts';

const HANDSHAKE_TIMEOUT_MS = 5_000;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** Without a byte either way: nothing asked yet, or an answer that is not read. An import waits for the parent in it. */
const STALLED_TIMEOUT_MS = 20_000;
/** Of bodies that are being read or worked on: 256 of the longest that a client may send. */
const MAX_BODIES_BYTES = 256 * MAX_REQUEST_BYTES;
const MAX_CONNECTIONS = 2_048;
/** From here on those that wait for a request are hung up on, so that nobody keeps others out by doing nothing. */
const CROWDED = 1_536;
/** How long requests that are being answered may take when the node stops. */
const DRAIN_MS = 3_000;
/** How often the limits above are held against what is open. */
const TIMEOUT_CHECK_MS = 1_000;

export interface ApiResponse {
  readonly status: number;
  /** What JSON.stringify takes. */
  readonly body: unknown;
}

/** Carries out a request whose body is there; never rejects. */
export type CarryOut = (body: Uint8Array) => Promise<ApiResponse> | ApiResponse;

/**
 * Looks at a request whose body is not read yet, and answers it at once or says what is to be done with the body.
 * Only those of the second kind get memory for one; never throws.
 */
export type Handler = (head: RequestHead) => CarryOut | ApiResponse;

/** HTTPS on the enclave's own port: TLS 1.3 ends here, and what the parent carries is sealed. */
export async function serveHttps(
  transport: Transport,
  identity: TlsIdentity,
  handle: Handler,
): Promise<{ close(): Promise<void> }> {
  const requests = new Requests();
  const server = createServer({
    cert: identity.certificate,
    key: identity.privateKey,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...ONE_AT_A_TIME,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    noDelay: true,
  });
  const budget = new BodyBudget(MAX_BODIES_BYTES);
  takeOneAtATime(
    server,
    (request, response) => {
      requests.enter(response);
      serve(request, response, budget, (head) => {
        const admitted = handle(head);
        if (typeof admitted !== 'function') return admitted;
        return (body) => {
          requests.assertOpen();
          return admitted(body);
        };
      }).catch(() => response.destroy());
    },
    (response) => sendError(response, new ApiError('LENGTH_REQUIRED', 'a body without Content-Length')),
  );
  identity.privateKey.fill(0);
  // Connections are handed in, so it never listens by itself; but this is what starts its watch over the timeouts.
  server.emit('listening');
  server.setTimeout(STALLED_TIMEOUT_MS);
  let connections = 0;
  const listener = await transport.listen(ENCLAVE_PORT.api, ({ stream }) => {
    if (connections >= MAX_CONNECTIONS) {
      stream.destroy();
      return;
    }
    if (connections >= CROWDED) server.closeIdleConnections();
    connections += 1;
    stream.once('close', () => {
      connections -= 1;
    });
    stream.on('error', () => stream.destroy());
    // TLS has no half-closed connections. One left open here would hold its place until the handshake is overdue.
    stream.allowHalfOpen = false;
    server.emit('connection', stream);
  });
  return {
    close: async () => {
      await requests.close();
      await closeAll(server, listener);
    },
  };
}

async function serve(
  request: WholeRequest,
  response: ServerResponse,
  budget: BodyBudget,
  handle: Handler,
): Promise<void> {
  const { method = '', url: target = '', rawHeaders, contentLength } = request;
  try {
    const admitted = handle({ method, target, rawHeaders, contentLength });
    if (typeof admitted !== 'function') {
      send(response, admitted);
      return;
    }
    const body = request.readBody(response, budget);
    if (body === undefined) throw new ApiError('OVERLOADED', 'too many bodies are being read');
    send(response, await admitted(await body));
  } catch (error) {
    sendError(response, error);
  }
}

/** Responses with the code of an error, and hangs up: what is left of the body is not read. */
function sendError(response: ServerResponse, error: unknown): void {
  const { status, code } = describeRefusal(error);
  response.setHeader('connection', 'close');
  send(response, { status, body: { error: code } });
}

function send(response: ServerResponse, { status, body }: ApiResponse): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** Requests whose response is not complete; a stop waits for them. */
class Requests {
  readonly #underWay = new Set<ServerResponse>();
  #isClosed = false;
  #onEmpty: (() => void) | undefined;

  enter(response: ServerResponse): void {
    this.#underWay.add(response);
    response.once('close', () => {
      this.#underWay.delete(response);
      if (this.#underWay.size === 0) this.#onEmpty?.();
    });
  }

  /** @throws ApiError STOPPING: what had not wholly arrived by then is not carried out. */
  assertOpen(): void {
    if (this.#isClosed) throw new ApiError('STOPPING', 'the node takes no request any more');
  }

  /** Waits for them, but not for long. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      setTimeout(resolve, DRAIN_MS).unref();
    });
  }
}

async function closeAll(server: Server, listener: Listener): Promise<void> {
  server.close();
  server.closeAllConnections();
  await listener.close();
}
