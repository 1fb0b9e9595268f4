import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BodyBudget,
  LENGTH_REQUIRED_STATUS,
  ONE_AT_A_TIME,
  takeOneAtATime,
  type WholeRequest,
} from '../../shared/http/index.ts';
import type { Transport, VsockAddress } from '../../shared/transport/transport.ts';
import { type CarriedResponse, carryRequest } from './enclave-request.ts';
import { ParentOptionError } from './errors.ts';

const REQUEST_TIMEOUT_MS = 10_000;

/** A door that listens. */
export interface Door {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Address that a door listens on, and the enclave's HTTPS interface behind it. */
export interface DoorPlace {
  /** By default loopback alone. */
  readonly host?: string;
  readonly port: number;
  readonly transport: Transport;
  readonly to: VsockAddress;
}

/** What passes through a door, and how its own refusals look. */
export interface DoorRules {
  /** Who uses the door, for an error at its opening: `approvers`. */
  readonly users: string;
  readonly maxConnections: number;
  /** Requests that are being carried at once. */
  readonly maxUnderWay: number;
  readonly maxBodyBytes: number;
  readonly maxResponseBytes: number;
  /** Answers whatever is not to be carried, and returns false; a request that may pass is not answered. */
  readonly admit: (request: WholeRequest, response: ServerResponse) => boolean;
  /** Refuses a request: 411 without a length, 502 where the enclave gave no response, 503 where too many are under way. */
  readonly refuse: (response: ServerResponse, status: 411 | 502 | 503) => void;
  /** Hands on what the enclave has responded. */
  readonly respond: (response: ServerResponse, carried: CarriedResponse) => void;
  /** Receives the error for which a request was not carried. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Opens a door: plain HTTP that carries some routes of the enclave's HTTPS interface and nothing else. Nobody believes a
 * door: what goes through it is signed.
 *
 * @throws ParentOptionError OPTION_INVALID where the address is not to be had
 */
export async function openDoor(
  { host = '127.0.0.1', port, transport, to }: DoorPlace,
  { users, maxConnections, maxUnderWay, maxBodyBytes, maxResponseBytes, ...rules }: DoorRules,
): Promise<Door> {
  const server = createServer({
    ...ONE_AT_A_TIME,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
  });
  server.maxConnections = maxConnections;
  const budget = new BodyBudget(maxUnderWay * maxBodyBytes);
  const carry = async (request: WholeRequest, response: ServerResponse): Promise<void> => {
    const body = await (request.readBody(response, budget) ??
      Promise.reject(new Error('no room for a body')));
    const { method = '', url: path = '' } = request;
    rules.respond(response, await carryRequest({ transport, to }, { method, path, body, maxResponseBytes }));
  };
  let underWay = 0;
  takeOneAtATime(
    server,
    (request, response) => {
      if (!rules.admit(request, response)) return;
      if (underWay >= maxUnderWay) {
        rules.refuse(response, 503);
        return;
      }
      underWay += 1;
      carry(request, response)
        .catch((error: unknown) => {
          rules.onFailure(error);
          rules.refuse(response, 502);
        })
        .finally(() => {
          underWay -= 1;
        });
    },
    (response) => rules.refuse(response, LENGTH_REQUIRED_STATUS),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', `cannot listen for ${users}`, { host, port }, error));
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

/** Responds with bytes that nobody keeps or takes for another type. */
export function sendBytes(response: ServerResponse, status: number, bytes: Uint8Array, type: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

/** Refuses a request and closes its connection: the rest of the body is not read. */
export function hangUp(response: ServerResponse, status: number, bytes: Uint8Array, type: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.setHeader('connection', 'close');
  sendBytes(response, status, bytes, type);
}
