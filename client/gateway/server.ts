import { randomUUID } from 'node:crypto';
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '../../shared/errors.ts';
import { BodyBudget, takeOneAtATime, type WholeRequest } from '../../shared/http/index.ts';
import { DeliveryWatch } from './delivery.ts';
import {
  assertNotExposed,
  createGatewayServer,
  type GatewayAddress,
  type GatewayListen,
  startListening,
} from './listen.ts';
import type { GatewayLog } from './log.ts';
import { refusePage } from './pages.ts';
import { answerProbe, type Probes } from './probes.ts';
import { type GatewayProtocol, type GatewayResponse, REFUSAL_STATUS, type RefusalCode } from './protocol.ts';

const MAX_CONNECTIONS = 1_024;
/** Connections from which on idle ones are closed, so that nobody keeps others out by doing nothing. */
const MAX_CONNECTIONS_WITH_IDLE = 768;
/** Requests that are being answered at once; further ones are refused. */
const MAX_UNDER_WAY = 256;
/** Bodies of the greatest length that may lie in memory at once. */
const MAX_WHOLE_BODIES = 64;
/**
 * Milliseconds without a byte in either direction until a connection is closed: a client that does not read its response.
 * Longer than a door waits for its nodes.
 */
const STALLED_TIMEOUT_MS = 90_000;

export interface GatewayServerOptions {
  readonly listen: GatewayListen;
  readonly protocol: GatewayProtocol;
  readonly probes: Probes;
  readonly log: GatewayLog;
  /** Milliseconds that requests under way have for their responses when the door stops. */
  readonly drainMs: number;
}

/**
 * Starts the listener of a door. It has one request at a time on a connection, whole bodies of bounded length, deadlines
 * for heads, bodies and readers, a Content-Length in every response, and one log line a request. Pages in a browser are
 * refused; `/healthz` and `/readyz` are answered before the protocol sees a request.
 *
 * @throws GatewayError GATEWAY_LISTEN_EXPOSED, GATEWAY_LISTEN_FAILED, GATEWAY_TLS_MALFORMED
 */
export async function startGatewayServer(options: GatewayServerOptions): Promise<GatewayServer> {
  assertNotExposed(options.listen, options.protocol.isAuthenticated);
  const server = createGatewayServer(options.listen);
  const gateway = new GatewayServer(server, options);
  gateway.address = await startListening(server, options.listen);
  return gateway;
}

/** The listener of a door: {@link startGatewayServer}. */
export class GatewayServer {
  /** Where the door is reached. */
  address: GatewayAddress = { url: '', port: undefined };
  readonly #server: Server;
  readonly #options: GatewayServerOptions;
  readonly #budget: BodyBudget;
  readonly #delivery = new DeliveryWatch();
  /** Responses that are not complete, by their connections; a stop waits for them. */
  readonly #underWay = new Map<ServerResponse, Socket>();
  #isStopping = false;
  #onEmpty: (() => void) | undefined;

  constructor(server: Server, options: GatewayServerOptions) {
    this.#server = server;
    this.#options = options;
    this.#budget = new BodyBudget(MAX_WHOLE_BODIES * options.protocol.maxBodyBytes);
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(STALLED_TIMEOUT_MS);
    // A client that has closed its side after the request still reads (RFC 9112, 9.6); Node would hang up.
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    takeOneAtATime(
      server,
      (request, response) => void this.#serve(request, response),
      (response) => this.#refuse(response, 'LENGTH_REQUIRED', this.#enter(response)),
    );
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#refuseUnread(error, socket as Socket),
    );
    let connections = 0;
    server.on('connection', (socket: Socket) => {
      connections += 1;
      socket.once('close', () => (connections -= 1));
      if (connections >= MAX_CONNECTIONS_WITH_IDLE) server.closeIdleConnections();
    });
  }

  /** Number of requests whose responses are not complete. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Stops to listen, lets requests under way end for as long as `drainMs`, and closes every connection. */
  async close(): Promise<void> {
    this.#isStopping = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    if (this.#underWay.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#options.drainMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.#underWay.size > 0)
      this.#options.log.event('warn', 'door.cut-off', { requests: this.#underWay.size });
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: WholeRequest, response: ServerResponse<WholeRequest>): Promise<void> {
    const { listen, protocol, probes, log } = this.#options;
    this.#delivery.confirm(request.socket);
    if (this.#isStopping) response.setHeader('connection', 'close');
    const refusal = refusePage(request.headers, listen, protocol.isAuthenticated);
    if (refusal !== undefined) return this.#refuse(response, refusal, this.#enter(response));
    if (answerProbe(request, response, probes)) return;
    const entered = this.#enter(response);
    if (request.contentLength > protocol.maxBodyBytes)
      return this.#refuse(response, 'REQUEST_TOO_LARGE', entered);
    if (this.#underWay.size > MAX_UNDER_WAY) return this.#refuse(response, 'OVERLOADED', entered);
    const reading = request.readBody(response, this.#budget);
    if (reading === undefined) return this.#refuse(response, 'OVERLOADED', entered);
    const abort = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) abort.abort();
    });
    const { method = '', url: target = '', rawHeaders, socket } = request;
    const { id } = entered;
    const { signal } = abort;
    const isClientGone = () => signal.aborted || socket.destroyed || socket.readableEnded;
    const body = await reading;
    try {
      this.#send(
        response,
        await protocol.handle({ id, method, target, rawHeaders, body, signal, isClientGone }),
        entered,
      );
    } catch (error) {
      log.event('warn', 'door.defect', { id, code: errorCode(error) });
      this.#refuse(response, 'INTERNAL', entered);
    }
    return undefined;
  }

  #enter(response: ServerResponse<WholeRequest>): Entered {
    this.#underWay.set(response, response.req.socket);
    response.once('close', () => {
      this.#underWay.delete(response);
      if (this.#underWay.size === 0) this.#onEmpty?.();
    });
    return { id: randomUUID(), start: performance.now() };
  }

  /** Refuses a request, and closes the connection: the rest of the body is not read. */
  #refuse(response: ServerResponse<WholeRequest>, code: RefusalCode, entered: Entered): void {
    const refusal = this.#options.protocol.refuse({ id: entered.id, code, status: REFUSAL_STATUS[code] });
    if (!response.headersSent) response.setHeader('connection', 'close');
    this.#send(response, { ...refusal, record: { code } }, entered);
  }

  #send(response: ServerResponse<WholeRequest>, sent: GatewayResponse, { id, start }: Entered): void {
    const { protocol, log } = this.#options;
    let isLogged = false;
    const conclude = (isDelivered: boolean) => {
      sent.onDelivery?.(isDelivered);
      if (isLogged && isDelivered) return;
      if (isLogged) {
        log.event('warn', 'response.lost', { id, door: protocol.name });
        return;
      }
      isLogged = true;
      const durationMs = performance.now() - start;
      log.request({
        id,
        door: protocol.name,
        status: sent.status,
        durationMs,
        isDelivered,
        ...sent.record,
      });
    };
    if (response.closed) {
      conclude(false);
      return;
    }
    this.#delivery.watch(response, conclude);
    const bytes = Buffer.from(sent.body);
    for (const [name, value] of Object.entries(sent.headers)) response.setHeader(name, value);
    response.setHeader('content-length', bytes.length);
    response.writeHead(sent.status);
    response.end(response.req.method === 'HEAD' ? undefined : bytes);
  }

  /** Answers bytes that are no request, or a request that takes too long to arrive. */
  #refuseUnread(error: NodeJS.ErrnoException, socket: Socket): void {
    // What is written now would be taken for the response to the request under way.
    const isBusy = [...this.#underWay.values()].includes(socket);
    if (isBusy || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const code = unreadCode(error.code);
    const id = randomUUID();
    const { status, headers, body } = this.#options.protocol.refuse({
      id,
      code,
      status: REFUSAL_STATUS[code],
    });
    const bytes = Buffer.from(body);
    const fields = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    fields.set('content-length', String(bytes.length)).set('connection', 'close');
    const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
    socket.end(Buffer.concat([Buffer.from(head, 'latin1'), bytes]), () => socket.destroy());
    const { protocol, log } = this.#options;
    log.request({ id, door: protocol.name, status, durationMs: 0, isDelivered: true, code });
  }
}

interface Entered {
  readonly id: string;
  /** Time of the head, by the monotonic clock. */
  readonly start: number;
}

function unreadCode(code: string | undefined): RefusalCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'REQUEST_TIMEOUT';
  return 'REQUEST_MALFORMED';
}
