import type { ServerResponse } from 'node:http';
import { errorCode } from '../../shared/errors.ts';
import type { WholeRequest } from '../../shared/http/index.ts';
import { MAX_REVIEW_BYTES, MAX_VOTE_BYTES } from '../../shared/api/requests.ts';
import { type Door, type DoorPlace, hangUp, openDoor, sendBytes } from '../common/door.ts';
import type { Log } from '../common/log.ts';
import type { ApprovalDoorOptions } from './options.ts';

/** Requests that are being carried at once; each may hold a review of {@link MAX_REVIEW_BYTES}. */
const MAX_UNDER_WAY = 16;
const MAX_CONNECTIONS = 256;
/** Seconds for which a browser remembers that a page may ask. */
const PREFLIGHT_MAX_AGE = '600';
const ROUTE = /^\/v1\/requests\/[0-9a-f]{32}\/(review|votes)$/;
const METHOD_OF = { review: 'GET', votes: 'POST' } as const;
const JSON_TYPE = 'application/json';

/** Codes of the door's own refusals; all others are the node's. */
type DoorRefusal =
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TOO_LARGE'
  | 'LENGTH_REQUIRED'
  | 'OVERLOADED'
  /** The enclave gave no response. */
  | 'ENCLAVE_UNREACHABLE';

const CODES = { 411: 'LENGTH_REQUIRED', 502: 'ENCLAVE_UNREACHABLE', 503: 'OVERLOADED' } as const;

/**
 * Opens the door for approvers: plain HTTP that carries two routes to the enclave, a request for review and a vote, and
 * nothing else. Responses are carried as they are; pages of the origins named may read them.
 *
 * @throws ParentOptionError OPTION_INVALID where the address is not to be had
 */
export async function openApprovalDoor({
  log,
  origins = [],
  ...place
}: DoorPlace & ApprovalDoorOptions & { readonly log: Log }): Promise<Door> {
  return await openDoor(place, {
    users: 'approvers',
    maxConnections: MAX_CONNECTIONS,
    maxUnderWay: MAX_UNDER_WAY,
    maxBodyBytes: MAX_VOTE_BYTES,
    maxResponseBytes: MAX_REVIEW_BYTES,
    admit: (request, response) => admit(request, response, origins),
    refuse: (response, status) => refuse(response, status, CODES[status]),
    respond: (response, { status, body }) => sendBytes(response, status, body, JSON_TYPE),
    onFailure: (error) => log('warn', 'approvals.not-carried', { code: errorCode(error) }),
  });
}

function admit(request: WholeRequest, response: ServerResponse, origins: readonly string[]): boolean {
  allowOrigin(request, response, origins);
  const kind = ROUTE.exec(request.url ?? '')?.[1] as keyof typeof METHOD_OF | undefined;
  if (kind === undefined) refuse(response, 404, 'NOT_FOUND');
  else if (request.method === 'OPTIONS') allowMethod(response, METHOD_OF[kind]);
  else if (request.method !== METHOD_OF[kind]) refuse(response, 405, 'METHOD_NOT_ALLOWED');
  else if (request.contentLength > (kind === 'votes' ? MAX_VOTE_BYTES : 0))
    refuse(response, 413, 'REQUEST_TOO_LARGE');
  else return true;
  return false;
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

function refuse(response: ServerResponse, status: number, error: DoorRefusal): void {
  hangUp(response, status, Buffer.from(JSON.stringify({ error })), JSON_TYPE);
}
