import { connect, type Socket } from 'node:net';
import type {
  GatewayListen,
  GatewayLog,
  GatewayProtocol,
  GatewayRequest,
  GatewayResponse,
  Readiness,
} from '../../../client/gateway/index.ts';
import { startGatewayServer } from '../../../client/gateway/index.ts';

type RequestEvent = Parameters<GatewayLog['request']>[0];

/** A door whose protocol echoes the body, unless a test has another handler. */
export async function startTestDoor({
  handle = (request) => Promise.resolve(echo(request)),
  listen = { port: 0 },
  readiness = () => ({ isReady: true, code: null, nodes: [] }),
  isAuthenticated = false,
  drainMs = 2_000,
  limits = {},
}: {
  handle?: (request: GatewayRequest) => Promise<GatewayResponse>;
  listen?: GatewayListen;
  readiness?: () => Readiness;
  isAuthenticated?: boolean;
  drainMs?: number;
  limits?: NonNullable<Parameters<typeof startGatewayServer>[0]['limits']>;
} = {}) {
  const events: RequestEvent[] = [];
  const others: string[] = [];
  const protocol: GatewayProtocol = {
    name: 'test',
    maxBodyBytes: 1024,
    isAuthenticated,
    handle,
    refuse: ({ code, status }) => ({ status, headers: { 'x-code': code }, body: code }),
  };
  const log: GatewayLog = { request: (event) => events.push(event), event: (_, name) => others.push(name) };
  const server = await startGatewayServer({ listen, protocol, probes: { readiness }, log, drainMs, limits });
  return { server, events, others, port: server.address.port ?? 0 };
}

export function echo(request: GatewayRequest): GatewayResponse {
  return { status: 200, headers: {}, body: request.body, record: { code: 'OK', operation: 'Echo' } };
}

/** A raw connection that collects what comes, with the time at which it ended. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  readonly ended: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece) => (this.text += piece.toString('latin1')));
    socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      socket.once('close', () => resolve());
      socket.once('end', () => resolve());
    });
  }

  static async open(to: number | string): Promise<RawClient> {
    const socket =
      typeof to === 'number' ? connect({ port: to, host: '127.0.0.1', allowHalfOpen: true }) : connect(to);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  /** Waits until the received text matches, or the connection has ended. */
  async until(pattern: RegExp): Promise<string> {
    const state = { isEnded: false };
    void this.ended.then(() => (state.isEnded = true));
    while (!pattern.test(this.text) && !state.isEnded) await new Promise((resolve) => setTimeout(resolve, 2));
    return this.text;
  }
}

export const post = (body: string, more = '') =>
  `POST / HTTP/1.1\r\nHost: door\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
