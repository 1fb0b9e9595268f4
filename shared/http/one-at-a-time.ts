import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { WholeRequest } from './whole-request.ts';

/** HTTP status of the response to a request with a Transfer-Encoding: RFC 9110, 15.5.12. */
export const LENGTH_REQUIRED_STATUS = 411;
/** RFC 9110, 15.5.18: what a request with an expectation other than `100-continue` is answered with. */
const EXPECTATION_FAILED_STATUS = 417;

const MAX_HEADER_BYTES = 8 * 1024;
/** The most header fields of a request; Node responds to more with 431, like to a head of too many bytes. */
const MAX_HEADER_FIELDS = 64;
/** Longest body without a reader that is skipped, in bytes; after a longer one the connection is closed. */
const MAX_DROPPED_BYTES = 1024 * 1024;

/** Options of Node's HTTP servers that {@link takeOneAtATime} needs. */
export const ONE_AT_A_TIME = { IncomingMessage: WholeRequest, maxHeaderSize: MAX_HEADER_BYTES } as const;

/**
 * Hands over the requests of a server made with {@link ONE_AT_A_TIME}, before their bodies are read. One whose body has
 * a Transfer-Encoding, and so no length (RFC 9112, 6.3), is refused. A connection has one request under way: who sends
 * a second before the response to the first is cut off, which RFC 9112, 9.3.2 lets a server do, and nothing is queued.
 *
 * @param refuse responds to a request without a length; the connection is closed after the response
 */
export function takeOneAtATime(
  server: Server,
  handle: (request: WholeRequest, response: ServerResponse<WholeRequest>) => void,
  refuse: (response: ServerResponse<WholeRequest>) => void,
): void {
  server.maxHeadersCount = MAX_HEADER_FIELDS;
  const latest = new WeakMap<Socket, { response: ServerResponse<WholeRequest>; unsent: number }>();

  /** Registers a request; false where the response to the one before is not complete. */
  function enter(socket: Socket, response: ServerResponse<WholeRequest>): boolean {
    const place = latest.get(socket);
    // A response that is written whole may have reached the client before Node says that it has left.
    if (place !== undefined && place.unsent > 0 && (place.unsent > 1 || !place.response.writableEnded)) {
      return false;
    }
    const unsent = (place?.unsent ?? 0) + 1;
    const entered = place === undefined ? { response, unsent } : Object.assign(place, { response, unsent });
    latest.set(socket, entered);
    response.once('close', () => (entered.unsent -= 1));
    return true;
  }

  /** True where the request may be answered; the connection of one that overtakes is cut off. */
  function admit(request: WholeRequest, response: ServerResponse<WholeRequest>): boolean {
    if (enter(request.socket, response)) return true;
    request.isLast = true;
    request.socket.destroy();
    return false;
  }

  function onRequest(request: WholeRequest, response: ServerResponse<WholeRequest>): void {
    if (!admit(request, response)) return;
    request.isLast = request.hasTransferEncoding;
    if (request.isLast || request.contentLength > MAX_DROPPED_BYTES) {
      response.setHeader('connection', 'close');
    }
    if (request.isLast) refuse(response);
    else handle(request, response);
  }

  // Node's own listener runs first and creates the parser.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', stopAfterLast as never);
  server.on('request', onRequest as never);
  server.on('checkContinue', ((request: WholeRequest, response: ServerResponse<WholeRequest>) => {
    request.writeContinue = () => response.writeContinue();
    onRequest(request, response);
  }) as never);
  // Without a listener Node answers by itself, and goes on to whatever is pipelined behind.
  server.on('checkExpectation', ((request: WholeRequest, response: ServerResponse<WholeRequest>) => {
    if (!admit(request, response)) return;
    request.isLast = true;
    response.writeHead(EXPECTATION_FAILED_STATUS, { connection: 'close', 'content-length': 0 }).end();
  }) as never);
}

/** A socket with Node's parser; what that asks about each request is in _http_server.js. */
interface ParsedSocket extends Socket {
  parser?: { onIncoming: (request: WholeRequest, keepAlive: boolean) => number };
}
/** Return value of onIncoming on which the parser stops and leaves the rest of its input to an upgrade handler. */
const STOP_PARSING = 2;

/** Stops the parser after a last request. Otherwise Node makes objects of all requests and chunks read so far. */
function stopAfterLast({ parser }: ParsedSocket): void {
  if (parser === undefined) return;
  const { onIncoming } = parser;
  parser.onIncoming = (request, keepAlive) => {
    const result = onIncoming(request, keepAlive);
    return request.isLast ? STOP_PARSING : result;
  };
}
