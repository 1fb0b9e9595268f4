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
/**
 * Milliseconds without a byte in either direction until a connection is closed: no request, or a response that the
 * client does not read. The import of a share, which waits for the parent's database, must end within it.
 */
const STALLED_TIMEOUT_MS = 20_000;
/** Bytes of request bodies in memory at once, over all connections: 256 of the longest that a client may send. */
const MAX_BODIES_BYTES = 256 * MAX_REQUEST_BYTES;
/** A client can keep itself out, and others only together with another; of strangers' bodies it holds all there can be. */
const MAX_BODIES_BYTES_PER_CLIENT = MAX_BODIES_BYTES / 2;
const MAX_CONNECTIONS = 2_048;
/** Connections from which on idle ones are closed, so that nobody keeps others out by doing nothing. */
const MAX_CONNECTIONS_WITH_IDLE = 1_536;
/** Milliseconds that requests under way have for their responses when the node stops. */
const DRAIN_MS = 3_000;
/** Milliseconds between two checks of open connections against the timeouts above. */
const TIMEOUT_CHECK_MS = 1_000;

export interface ApiResponse {
  readonly status: number;
  /** A value that JSON.stringify takes; text, where a type is given. */
  readonly body: unknown;
  /** Media type of a body that is text already. */
  readonly type?: string;
}

/** Handles a request once its body has arrived; never rejects. */
export interface BodyHandler {
  (body: Uint8Array): Promise<ApiResponse> | ApiResponse;
  /** The client that has signed the request; absent where anybody may send it. */
  readonly client?: string | undefined;
}

/**
 * Handles a request by its head, before its body is read: gives a response at once, or the handler for the body. Only
 * in the second case is memory taken for a body. Never throws.
 */
export type HeadHandler = (head: RequestHead) => BodyHandler | ApiResponse;

/** Serves HTTPS on the enclave's own port. TLS 1.3 ends here, and the parent carries what it cannot read. */
export async function serveHttps(
  transport: Transport,
  identity: TlsIdentity,
  handle: HeadHandler,
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
  const budget = new BodyBudget(MAX_BODIES_BYTES, MAX_BODIES_BYTES_PER_CLIENT);
  takeOneAtATime(
    server,
    (request, response) => {
      requests.enter(response);
      serve(request, response, budget, (head) => {
        const handled = handle(head);
        if (typeof handled !== 'function') return handled;
        const handleBody = (body: Uint8Array) => {
          requests.assertOpen();
          return handled(body);
        };
        return Object.assign(handleBody, { client: handled.client });
      }).catch(() => response.destroy());
    },
    (response) =>
      sendError(
        response,
        new ApiError('LENGTH_REQUIRED', 'expected a Content-Length, found a Transfer-Encoding'),
      ),
  );
  identity.privateKey.fill(0);
  // Starts Node's checks of the timeouts. The server does not listen itself: its connections come from the transport.
  server.emit('listening');
  server.setTimeout(STALLED_TIMEOUT_MS);
  let connections = 0;
  const listener = await transport.listen(ENCLAVE_PORT.api, ({ stream }) => {
    if (connections >= MAX_CONNECTIONS) {
      stream.destroy();
      return;
    }
    if (connections >= MAX_CONNECTIONS_WITH_IDLE) server.closeIdleConnections();
    connections += 1;
    stream.once('close', () => {
      connections -= 1;
    });
    stream.on('error', () => stream.destroy());
    // TLS has no half-closed connections: a stream left open here would keep its place until the handshake times out.
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
  handle: HeadHandler,
): Promise<void> {
  const { method = '', url: target = '', rawHeaders, contentLength } = request;
  try {
    const handled = handle({ method, target, rawHeaders, contentLength });
    if (typeof handled !== 'function') {
      send(response, handled);
      return;
    }
    const body = request.readBody(response, budget, handled.client);
    if (body === undefined)
      throw new ApiError('OVERLOADED', `no room for another ${contentLength} bytes of request bodies`);
    send(response, await handled(await body));
  } catch (error) {
    sendError(response, error);
  }
}

/** Responds with the code of an error and closes the connection: the rest of the body is not read. */
function sendError(response: ServerResponse, error: unknown): void {
  const { status, code } = describeRefusal(error);
  response.setHeader('connection', 'close');
  send(response, { status, body: { error: code } });
}

function send(response: ServerResponse, { status, body, type }: ApiResponse): void {
  const text = type === undefined ? JSON.stringify(body) : String(body);
  response.writeHead(status, {
    'content-type': type ?? 'application/json',
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

  /** Refuses requests whose body arrives after the stop has begun. @throws ApiError STOPPING */
  assertOpen(): void {
    if (this.#isClosed) throw new ApiError('STOPPING', 'the node is stopping');
  }

  /** Waits until no request is under way, for {@link DRAIN_MS} at most. */
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
