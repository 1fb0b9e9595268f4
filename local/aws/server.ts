import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { AwsServiceError, encodeError, joinHeaders, unknownTarget } from '../../shared/aws-json/index.ts';
import { claimedService, type RequestHead, splitTarget } from '../../shared/aws-sigv4/index.ts';
import {
  BodyBudget,
  LENGTH_REQUIRED_STATUS,
  ONE_AT_A_TIME,
  takeOneAtATime,
  type WholeRequest,
} from '../../shared/http/index.ts';
import type { PrincipalDirectory } from './directory.ts';
import { type Exchange, MAX_BODY_BYTES, parseEndpointHost, send, sendRest } from './exchange.ts';
import { answerJson } from './json-protocol.ts';
import { answerQuery, encodeQueryError } from './query-protocol.ts';
import { SinkRequest } from './received-body.ts';
import { answerRest } from './rest-protocol.ts';
import type { AwsService, JsonService, QueryService, ResponseStamp, RestService } from './service.ts';
import type { LocalAuthority } from './tls.ts';

/** Event of one request, without any content. */
export interface AwsEvent {
  readonly service: string;
  readonly operation: string;
  /** ARN of the caller, when the signature was good. */
  readonly caller?: string;
  /** Type of the error; absent when the request succeeded. */
  readonly error?: string;
}

export interface AwsServerOptions {
  readonly services: readonly AwsService[];
  readonly directory: PrincipalDirectory;
  readonly authority: LocalAuthority;
  /** Clock in milliseconds since 1970. */
  readonly clock: () => number;
  /** Port; any that is free when left out. */
  readonly port?: number;
  readonly onEvent?: (event: AwsEvent) => void;
}

export interface AwsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Maximum of all bodies in memory that are being read or worked on. */
const MAX_BODIES_BYTES = 32 * MAX_BODY_BYTES;
const MAX_HEADER_BYTES = 16 * 1024;
const HEAD_DEADLINE = 10_000;
/** Deadline of a request whose body goes to a file; one in memory has a shorter one (exchange.ts). */
const REQUEST_DEADLINE = 120_000;
const IDLE_DEADLINE = 60_000;
const LENGTH_REQUIRED = new AwsServiceError(
  'MissingContentLength',
  'You must provide the Content-Length HTTP header.',
  LENGTH_REQUIRED_STATUS,
);

/** Serves AWS services over HTTPS on loopback, each under its own host name. */
export async function startAwsServer(options: AwsServerOptions): Promise<AwsServer> {
  const { authority } = options;
  const server = createServer({
    ...authority.localhost,
    ...ONE_AT_A_TIME,
    IncomingMessage: SinkRequest,
    // A session's credentials may be longer than a client's other fields together.
    maxHeaderSize: MAX_HEADER_BYTES,
    SNICallback: (name, done) => done(null, authority.contextFor(name)),
    minVersion: 'TLSv1.2',
    requestTimeout: REQUEST_DEADLINE,
    headersTimeout: HEAD_DEADLINE,
    keepAliveTimeout: IDLE_DEADLINE,
  });
  const budget = new BodyBudget(MAX_BODIES_BYTES);
  takeOneAtATime(
    server,
    (request, response) => void answer(options, budget, response, () => request as SinkRequest),
    (response) =>
      void answer(options, budget, response, () => {
        throw LENGTH_REQUIRED;
      }),
  );
  server.maxConnections = 1024;
  const port = await listen(server, options.port ?? 0);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        // The only possible error is that the server was closed before.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function answer(
  options: AwsServerOptions,
  budget: BodyBudget,
  response: ServerResponse<WholeRequest>,
  admit: () => SinkRequest,
): Promise<void> {
  const { req } = response;
  const event = { service: '', operation: '' };
  const stamp = { requestId: randomUUID(), now: options.clock() };
  const head: RequestHead = {
    method: req.method ?? '',
    ...splitTarget(req.url ?? ''),
    headers: joinHeaders(req.rawHeaders),
  };
  const service = selectService(options.services, head);
  try {
    const exchange: Exchange = {
      ...stamp,
      directory: options.directory,
      request: admit(),
      response,
      head,
      budget,
      sourceIp: req.socket.remoteAddress ?? '',
      event,
    };
    if (service === undefined) throw unknownTarget();
    if (service === 'json') await answerJson(exchange, options.services.filter(isJson));
    else if (service.protocol === 'query') await answerQuery(exchange, service);
    else await answerRest(exchange, service);
    options.onEvent?.(event);
  } catch (error) {
    const refusal =
      error instanceof AwsServiceError
        ? error
        : new AwsServiceError('InternalFailure', 'The request processing has failed.', 500);
    refuse(response, service, refusal, { ...stamp, path: head.path });
    options.onEvent?.({ ...event, error: refusal.code });
  }
}

type Selected = 'json' | QueryService | RestService;

/**
 * Selects who answers: AWS JSON by its header, every other service by the host's name or else by the signature's scope. A
 * request with neither is S3's, where anybody may ask.
 */
function selectService(services: readonly AwsService[], head: RequestHead): Selected | undefined {
  if (head.headers.has('x-amz-target')) return 'json';
  const name = parseEndpointHost(head.headers.get('host') ?? '')?.service ?? claimedService(head);
  const others = services.filter((service) => !isJson(service));
  if (name !== undefined) return others.find((service) => service.name === name);
  const isPlain = head.method === 'POST' && head.path === '/';
  return isPlain ? undefined : others.find((service) => service.name === 's3');
}

function isJson(service: AwsService): service is JsonService {
  return service.protocol === undefined || service.protocol === 'json';
}

function refuse(
  response: ServerResponse,
  service: Selected | undefined,
  error: AwsServiceError,
  stamp: ResponseStamp,
): void {
  if (service === undefined || service === 'json') send(response, encodeError(error, stamp));
  else if (service.protocol === 'query') send(response, encodeQueryError(error, service, stamp));
  else sendRest(response, service.encodeError(error, stamp));
}
