import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  BodyBudget,
  LENGTH_REQUIRED_STATUS,
  ONE_AT_A_TIME,
  takeOneAtATime,
  type WholeRequest,
} from '../../shared/http/index.ts';
import {
  AwsServiceError,
  encodeError,
  encodeOutput,
  joinHeaders,
  parseBody,
  parseTarget,
  unknownTarget,
  verifySignature,
  type AwsResponse,
} from '../../shared/aws-json/index.ts';
import { PARTITIONS } from '../../shared/aws/partitions.ts';
import { callerArn, type PrincipalDirectory } from './directory.ts';
import type { AwsService } from './service.ts';
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

/**
 * Maximum of a body: an attestation document of its longest, 262,144 bytes, in base64, beside a ciphertext and an
 * encryption context.
 */
const MAX_BODY_BYTES = 512 * 1024;
/** Maximum of all bodies that are being read or worked on. */
const MAX_BODIES_BYTES = 32 * MAX_BODY_BYTES;
const MAX_JSON_DEPTH = 16;
const MAX_HEADER_BYTES = 16 * 1024;
const REQUEST_DEADLINE = 10_000;
const IDLE_DEADLINE = 60_000;
const LENGTH_REQUIRED = new AwsServiceError(
  'MissingContentLength',
  'You must provide the Content-Length HTTP header.',
  LENGTH_REQUIRED_STATUS,
);

/** Serves AWS JSON 1.1 services over HTTPS on loopback, each under its own host name. */
export async function startAwsServer(options: AwsServerOptions): Promise<AwsServer> {
  const { authority } = options;
  const server = createServer({
    ...authority.localhost,
    ...ONE_AT_A_TIME,
    // A session's credentials may be longer than a client's other fields together.
    maxHeaderSize: MAX_HEADER_BYTES,
    SNICallback: (name, done) => done(null, authority.contextFor(name)),
    minVersion: 'TLSv1.2',
    requestTimeout: REQUEST_DEADLINE,
    headersTimeout: REQUEST_DEADLINE,
    keepAliveTimeout: IDLE_DEADLINE,
  });
  const budget = new BodyBudget(MAX_BODIES_BYTES);
  takeOneAtATime(
    server,
    (request, response) => void answer(options, request, response, () => readBody(request, response, budget)),
    (response) => void answer(options, response.req, response, () => Promise.reject(LENGTH_REQUIRED)),
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
  request: WholeRequest,
  response: ServerResponse,
  read: () => Promise<Uint8Array>,
): Promise<void> {
  const event = { service: '', operation: '' };
  try {
    const output = await dispatch(options, request, read, event);
    send(response, encodeOutput(output, stamp(options)));
    options.onEvent?.(event);
  } catch (error) {
    const refusal =
      error instanceof AwsServiceError
        ? error
        : new AwsServiceError('InternalFailure', 'The request processing has failed.', 500);
    send(response, encodeError(refusal, stamp(options)));
    options.onEvent?.({ ...event, error: refusal.code });
  }
}

async function dispatch(
  options: AwsServerOptions,
  request: WholeRequest,
  read: () => Promise<Uint8Array>,
  event: { service: string; operation: string; caller?: string },
): Promise<unknown> {
  const headers = joinHeaders(request.rawHeaders);
  const { prefix, operation } = parseTarget(request.method, request.url, headers);
  const service = options.services.find(({ targetPrefix }) => targetPrefix === prefix);
  if (service === undefined) throw unknownTarget();
  event.service = service.name;
  event.operation = operation;
  const endpoint = regionOfHost(headers.get('host') ?? '', service.name);
  const body = await read();
  const now = options.clock();
  const { credential, region } = verifySignature({ headers, body }, (id) => options.directory.find(id), {
    service: service.name,
    now,
    ...(endpoint === undefined ? {} : { region: endpoint }),
  });
  event.caller = callerArn(credential.caller);
  const handle = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
  if (handle === undefined) throw new AwsServiceError('UnknownOperationException', 'Unknown operation');
  const sourceIp = request.socket.remoteAddress ?? '';
  const input = parseBody(body, { maxBytes: MAX_BODY_BYTES, maxDepth: MAX_JSON_DEPTH });
  return handle({ operation, input, credential, region, sourceIp, now });
}

/** Region that the host name says; undefined for localhost, where the signature's scope says it. */
function regionOfHost(host: string, service: string): string | undefined {
  const [, name, region, suffix] = /^([a-z]+)\.([a-z0-9-]+)\.([a-z0-9.-]+?)(?::[0-9]+)?$/.exec(host) ?? [];
  if (!PARTITIONS.some(({ dnsSuffix }) => dnsSuffix === suffix)) return undefined;
  if (name !== service) throw unknownTarget();
  return region;
}

/** Reads a body. Must be called in the turn in which the request came: see WholeRequest.readBody. */
function readBody(request: WholeRequest, response: ServerResponse, budget: BodyBudget): Promise<Uint8Array> {
  if (request.contentLength > MAX_BODY_BYTES) {
    throw new AwsServiceError('RequestEntityTooLargeException', 'Request size exceeded', 413);
  }
  const body = request.readBody(response, budget);
  if (body === undefined) throw new AwsServiceError('ThrottlingException', 'Rate exceeded');
  return body;
}

function stamp({ clock }: AwsServerOptions): { requestId: string; now: number } {
  return { requestId: randomUUID(), now: clock() };
}

function send(response: ServerResponse, { status, headers, body }: AwsResponse): void {
  if (response.destroyed) return;
  // The rest of a body that was too long is not read.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, headers);
  response.end(body);
}
