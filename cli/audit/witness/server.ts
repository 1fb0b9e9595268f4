import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { cosignCheckpoint, type SigningKey, type VerifySignature } from '../../../audit/log/index.ts';
import {
  decideCosign,
  type FollowedLogs,
  MAX_COSIGN_REQUEST_BYTES,
  parseCosignRequest,
  verifyCosignRequest,
  WITNESS_STATUS,
  WitnessError,
} from '../../../audit/witness/index.ts';
import { HoldfastError } from '../../../shared/errors.ts';
import {
  BodyBudget,
  LENGTH_REQUIRED_STATUS,
  ONE_AT_A_TIME,
  takeOneAtATime,
  type WholeRequest,
} from '../../../shared/http/index.ts';
import type { WitnessState } from './state.ts';

const MAX_CONNECTIONS = 256;
/** Bytes of bodies in memory at once. */
const MAX_BODIES = 64 * MAX_COSIGN_REQUEST_BYTES;
const REQUEST_TIMEOUT_MS = 10_000;
const TEXT = 'text/plain; charset=utf-8';

export interface WitnessParts {
  readonly keys: readonly SigningKey[];
  readonly logs: FollowedLogs;
  readonly state: WitnessState;
  readonly verify: VerifySignature;
  /** POSIX time in milliseconds. */
  readonly now: () => number;
  /** Told of each request and what came of it: a code, or "cosigned". */
  readonly onOutcome: (outcome: {
    readonly origin?: string;
    readonly size?: number;
    readonly code: string;
  }) => void;
}

/** Creates the HTTP server of a witness, C2SP tlog-witness: `add-checkpoint` and the newest checkpoint of each log. */
export function createWitnessServer(parts: WitnessParts): Server {
  const server = createServer({
    ...ONE_AT_A_TIME,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const budget = new BodyBudget(MAX_BODIES);
  const byHash = new Map([...parts.logs.keys()].map((origin) => [sha256Hex(origin), origin]));
  takeOneAtATime(
    server,
    (request, response) => {
      respond(request, response).catch((error: unknown) => {
        parts.onOutcome({ code: error instanceof HoldfastError ? error.code : 'INTERNAL' });
        if (!response.headersSent) send(response, 500, 'INTERNAL\n');
      });
    },
    (response) => send(response, LENGTH_REQUIRED_STATUS, 'LENGTH_REQUIRED\n'),
  );
  return server;

  async function respond(request: WholeRequest, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    if (url === '/add-checkpoint') {
      if (method !== 'POST') return send(response.setHeader('allow', 'POST'), 405, '');
      if (request.contentLength > MAX_COSIGN_REQUEST_BYTES)
        return send(response, WITNESS_STATUS.WITNESS_REQUEST_TOO_LARGE, 'WITNESS_REQUEST_TOO_LARGE\n');
      const body = await request.readBody(response, budget);
      if (body === undefined) return send(response, WITNESS_STATUS.WITNESS_BUSY, 'WITNESS_BUSY\n');
      return addCheckpoint(body, response);
    }
    const [, hash = ''] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? [];
    const origin = byHash.get(hash);
    const note = origin === undefined ? undefined : parts.state.read(origin)?.note;
    if (note === undefined) return send(response, 404, '');
    if (method !== 'GET' && method !== 'HEAD') return send(response.setHeader('allow', 'GET'), 405, '');
    return send(response, 200, note);
  }

  function addCheckpoint(body: Uint8Array, response: ServerResponse): void {
    try {
      const { lines, origin, size } = cosign(body, parts);
      parts.onOutcome({ origin, size, code: 'cosigned' });
      send(response, 200, lines);
    } catch (error) {
      if (!(error instanceof WitnessError)) throw error;
      const { code, details } = error;
      const { origin, size } = details;
      parts.onOutcome({
        code,
        ...(typeof origin === 'string' ? { origin } : {}),
        ...(typeof size === 'number' ? { size } : {}),
      });
      if (code === 'WITNESS_CONFLICT')
        send(response, WITNESS_STATUS[code], `${String(size)}\n`, 'text/x.tlog.size');
      else send(response, WITNESS_STATUS[code], `${code}\n`);
    }
  }
}

/** Decides, signs and keeps, in one turn of the event loop and one transaction: no other request can come between. */
function cosign(
  body: Uint8Array,
  { keys, logs, state, verify, now }: WitnessParts,
): { lines: string; origin: string; size: number } {
  const request = parseCosignRequest(body);
  const { text, origin, size, logNote } = verifyCosignRequest(request, logs, verify);
  let lines = '';
  state.update(origin, (known) => {
    const tree = decideCosign(known, request);
    const time = Math.floor(now() / 1000);
    lines = keys.map((key) => cosignCheckpoint(key, text, time)).join('');
    return { tree, note: logNote + lines };
  });
  return { lines, origin, size };
}

function send(response: ServerResponse, status: number, body: string, type = TEXT): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
