import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorCode } from '../../shared/errors.ts';
import {
  BodyBudget,
  LENGTH_REQUIRED_STATUS,
  ONE_AT_A_TIME,
  takeOneAtATime,
  type WholeRequest,
} from '../../shared/http/index.ts';
import { MAX_REVIEW_BYTES, MAX_VOTE_BYTES } from '../../shared/api/requests.ts';
import type { Transport, VsockAddress } from '../../shared/transport/transport.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { Log } from '../common/log.ts';
import { carryRequest } from '../common/enclave-request.ts';
import type { ApprovalDoorOptions } from './options.ts';

/** Requests that are being carried at once; each may hold a review of {@link MAX_REVIEW_BYTES}. */
const MAX_UNDER_WAY = 16;
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 10_000;
/** Seconds for which a browser remembers that a page may ask. */
const PREFLIGHT_MAX_AGE = '600';
const ROUTE = /^\/v1\/requests\/[0-9a-f]{32}\/(review|votes)$/;
const METHOD_OF = { review: 'GET', votes: 'POST' } as const;

/** Codes of the door's own refusals; all others are the node's. */
type DoorRefusal =
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TOO_LARGE'
  | 'LENGTH_REQUIRED'
  | 'OVERLOADED'
  /** The enclave gave no response. */
  | 'ENCLAVE_UNREACHABLE';

/** A door for approvers that listens. */
export interface ApprovalDoor {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface ApprovalDoorParts extends ApprovalDoorOptions {
  readonly transport: Transport;
  /** Address of the enclave's HTTPS interface. */
  readonly to: VsockAddress;
  readonly log: Log;
}

/**
 * Opens the door for approvers: plain HTTP that carries two routes to the enclave, a request for review and a vote, and
 * nothing else. Responses are carried as they are; pages of the origins named may read them.
 *
 * @throws ParentOptionError OPTION_INVALID where the address is not to be had
 */
export async function openApprovalDoor(parts: ApprovalDoorParts): Promise<ApprovalDoor> {
  const { host = '127.0.0.1', port } = parts;
  const server = createServer({
    ...ONE_AT_A_TIME,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const budget = new BodyBudget(MAX_UNDER_WAY * MAX_VOTE_BYTES);
  let underWay = 0;
  takeOneAtATime(
    server,
    (request, response) => {
      allowOrigin(request, response, parts.origins ?? []);
      const kind = ROUTE.exec(request.url ?? '')?.[1] as keyof typeof METHOD_OF | undefined;
      if (kind === undefined) refuse(response, 404, 'NOT_FOUND');
      else if (request.method === 'OPTIONS') allowMethod(response, METHOD_OF[kind]);
      else if (request.method !== METHOD_OF[kind]) refuse(response, 405, 'METHOD_NOT_ALLOWED');
      else if (request.contentLength > (kind === 'votes' ? MAX_VOTE_BYTES : 0))
        refuse(response, 413, 'REQUEST_TOO_LARGE');
      else if (underWay >= MAX_UNDER_WAY) refuse(response, 503, 'OVERLOADED');
      else {
        underWay += 1;
        carry(parts, request, response, budget)
          .catch((error: unknown) => {
            parts.log('warn', 'approvals.not-carried', { code: errorCode(error) });
            refuse(response, 502, 'ENCLAVE_UNREACHABLE');
          })
          .finally(() => {
            underWay -= 1;
          });
      }
    },
    (response) => refuse(response, LENGTH_REQUIRED_STATUS, 'LENGTH_REQUIRED'),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', 'cannot listen for approvers', { host, port }, error));
    });
    server.listen({ host, port }, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function carry(
  { transport, to }: ApprovalDoorParts,
  request: WholeRequest,
  response: ServerResponse,
  budget: BodyBudget,
): Promise<void> {
  const body = await (request.readBody(response, budget) ?? Promise.reject(new Error('no room for a body')));
  const carried = await carryRequest(
    { transport, to },
    { method: request.method ?? '', path: request.url ?? '', body, maxResponseBytes: MAX_REVIEW_BYTES },
  );
  respond(response, carried.status, carried.body);
}

/** Lets a page read the response, where its origin is one of those named. */
function allowOrigin(request: WholeRequest, response: ServerResponse, origins: readonly string[]): void {
  response.setHeader('vary', 'origin');
  const { origin } = request.headers;
  if (origin !== undefined && origins.includes(origin)) {
    response.setHeader('access-control-allow-origin', origin);
  }
}

function allowMethod(response: ServerResponse, method: string): void {
  response.writeHead(204, {
    'access-control-allow-methods': method,
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': PREFLIGHT_MAX_AGE,
  });
  response.end();
}

function refuse(response: ServerResponse, status: number, code: DoorRefusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.setHeader('connection', 'close');
  respond(response, status, Buffer.from(JSON.stringify({ error: code })));
}

function respond(response: ServerResponse, status: number, body: Uint8Array): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
