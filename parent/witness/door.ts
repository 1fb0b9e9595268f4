import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_PEER_COSIGN_BYTES } from '../../shared/api/witness.ts';
import { errorCode } from '../../shared/errors.ts';
import {
  BodyBudget,
  LENGTH_REQUIRED_STATUS,
  ONE_AT_A_TIME,
  takeOneAtATime,
  type WholeRequest,
} from '../../shared/http/index.ts';
import type { Transport, VsockAddress } from '../../shared/transport/transport.ts';
import { carryRequest } from '../common/enclave-request.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { Log } from '../common/log.ts';
import type { WitnessDoorOptions } from './options.ts';

/** Requests that are being carried at once: each peer has one under way. */
const MAX_UNDER_WAY = 32;
const MAX_CONNECTIONS = 128;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longest response: the line of a cosignature, or a code. */
const MAX_RESPONSE_BYTES = 8 * 1024;
const PATH = '/add-checkpoint';
const TEXT = 'text/plain; charset=utf-8';

/** A door for the parents of peers that listens. */
export interface WitnessDoor {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface WitnessDoorParts extends WitnessDoorOptions {
  readonly transport: Transport;
  /** Address of the enclave's HTTPS interface. */
  readonly to: VsockAddress;
  readonly log: Log;
}

/**
 * Opens the door by which the parents of peers reach the enclave as a witness: plain HTTP that carries the one route of
 * C2SP tlog-witness, `POST /add-checkpoint`, and nothing else. Nobody believes the door: the log has signed what goes in,
 * and the enclave what comes out.
 *
 * @throws ParentOptionError OPTION_INVALID where the address is not to be had
 */
export async function openWitnessDoor(parts: WitnessDoorParts): Promise<WitnessDoor> {
  const { host = '127.0.0.1', port } = parts;
  const server = createServer({
    ...ONE_AT_A_TIME,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const budget = new BodyBudget(MAX_UNDER_WAY * MAX_PEER_COSIGN_BYTES);
  let underWay = 0;
  takeOneAtATime(
    server,
    (request, response) => {
      if (request.url !== PATH) respond(response, 404, '');
      else if (request.method !== 'POST') respond(response.setHeader('allow', 'POST'), 405, '');
      else if (request.contentLength > MAX_PEER_COSIGN_BYTES) refuse(response, 413);
      else if (underWay >= MAX_UNDER_WAY) refuse(response, 503);
      else {
        underWay += 1;
        carry(parts, request, response, budget)
          .catch((error: unknown) => {
            parts.log('warn', 'witness-door.not-carried', { code: errorCode(error) });
            refuse(response, 502);
          })
          .finally(() => {
            underWay -= 1;
          });
      }
    },
    (response) => refuse(response, LENGTH_REQUIRED_STATUS),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', 'cannot listen for peers', { host, port }, error));
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
  { transport, to }: WitnessDoorParts,
  request: WholeRequest,
  response: ServerResponse,
  budget: BodyBudget,
): Promise<void> {
  const body = await (request.readBody(response, budget) ?? Promise.reject(new Error('no room for a body')));
  const carried = await carryRequest(
    { transport, to },
    { method: 'POST', path: PATH, body, maxResponseBytes: MAX_RESPONSE_BYTES },
  );
  respond(response, carried.status, carried.body, carried.type);
}

/** Refuses a request and closes its connection: the rest of the body is not read. */
function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.setHeader('connection', 'close');
  respond(response, status, '');
}

function respond(response: ServerResponse, status: number, body: string | Uint8Array, type = TEXT): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}
