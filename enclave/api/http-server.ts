import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { MAX_REQUEST_BYTES } from '../../shared/node/api.ts';
import type { ReceivedRequest } from '../../shared/http-signature/index.ts';
import { ENCLAVE_PORT, type Listener, type Transport } from '../../shared/transport/transport.ts';
import { ApiError } from './errors.ts';
import { describeRefusal } from './status.ts';
import type { TlsIdentity } from './tls-identity.ts';

const HANDSHAKE_TIMEOUT_MS = 5_000;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** Without a byte either way: nothing asked yet, or an answer that is not read. An import waits for the parent in it. */
const STALLED_TIMEOUT_MS = 20_000;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 2_048;
/** From here on those that wait for a request are hung up on, so that nobody keeps others out by doing nothing. */
const CROWDED = 1_536;
/** How long requests that are being answered may take when the node stops. */
const DRAIN_MS = 3_000;
/** How often the limits above are held against what is open. */
const TIMEOUT_CHECK_MS = 1_000;

export interface Answer {
  readonly status: number;
  /** What JSON.stringify takes. */
  readonly body: unknown;
}

/** Answers one request whose body has arrived whole; never rejects. */
export type Handler = (request: ReceivedRequest) => Promise<Answer> | Answer;

/** HTTPS on the enclave's own port: TLS 1.3 ends here, and what the parent carries is sealed. */
export async function serveHttps(
  transport: Transport,
  identity: TlsIdentity,
  handle: Handler,
): Promise<{ close(): Promise<void> }> {
  const requests = new Requests();
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.privateKey,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      noDelay: true,
    },
    (request, response) => {
      requests.enter(response);
      serve(request, response, (received) => {
        requests.assertOpen();
        return handle(received);
      }).catch(() => response.destroy());
    },
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

async function serve(request: IncomingMessage, response: ServerResponse, handle: Handler): Promise<void> {
  let answer: Answer;
  try {
    const body = await readBody(request);
    answer = await handle({
      method: request.method ?? '',
      target: request.url ?? '',
      rawHeaders: request.rawHeaders,
      body,
    });
  } catch (error) {
    const { status, code } = describeRefusal(error);
    answer = { status, body: { error: code } };
    response.setHeader('connection', 'close');
  }
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) {
      throw new ApiError('REQUEST_TOO_LARGE', 'the request is too large', { maximum: MAX_REQUEST_BYTES });
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** Those that are being answered. */
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
