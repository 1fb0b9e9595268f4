import { errorCode, HoldfastError } from '../../shared/errors.ts';
import { HttpSignatureError, type ReceivedRequest } from '../../shared/http-signature/index.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_REQUEST_BYTES } from '../../shared/node/api.ts';
import type * as z from 'zod';
import { ApiError } from './errors.ts';
import type { Answer, Handler } from './http-server.ts';

const MAX_JSON_DEPTH = 8;
/** Of a request that anybody may send: strangers get no work done by sending much. */
const MAX_UNSIGNED_BYTES = 1024;

/** One operation: `client` is undefined where anybody may ask. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Matches the whole path; its groups are handed to `act`. */
  readonly path: RegExp;
  readonly isSigned: boolean;
  readonly act: (input: RouteInput) => unknown;
}

export interface RouteInput {
  /** The client that signed; '' on routes for anybody. */
  readonly client: string;
  readonly captures: readonly string[];
  /** The body as strict JSON of this schema. @throws ApiError REQUEST_MALFORMED */
  readonly parse: <T>(schema: z.ZodType<T>) => T;
}

/** HTTP status by code, where it is not 403. */
const STATUS: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TOO_LARGE: 413,
  REQUEST_MALFORMED: 400,
  OVERLOADED: 503,
  RATE_LIMITED: 429,
  REPLAY_CACHE_FULL: 503,
  STORE_FULL: 507,
  INTERNAL: 500,
};

export interface RouterOptions {
  /** Names the client of a signed request, or throws. */
  readonly authenticate: (request: ReceivedRequest) => { readonly clientId: string };
  /** Hears of every error that a request met, before the request is answered with its code. */
  readonly onError: (error: unknown) => void;
}

/** Makes a handler of routes. */
export function createRouter(routes: readonly Route[], { authenticate, onError }: RouterOptions): Handler {
  return async (request): Promise<Answer> => {
    try {
      const { route, captures } = findRoute(routes, request);
      const client = route.isSigned ? authenticate(request).clientId : '';
      const maxBytes = route.isSigned ? MAX_REQUEST_BYTES : MAX_UNSIGNED_BYTES;
      const parse = <T>(schema: z.ZodType<T>) => parseBody(request.body, maxBytes, schema);
      const body = await route.act({ client, captures, parse });
      return { status: 200, body };
    } catch (error) {
      onError(error);
      return describeRefusal(error);
    }
  };
}

function findRoute(routes: readonly Route[], { method, target }: ReceivedRequest) {
  let isKnown = false;
  for (const route of routes) {
    const match = route.path.exec(target);
    if (match === null) continue;
    isKnown = true;
    if (route.method === method) return { route, captures: match.slice(1) };
  }
  throw isKnown
    ? new ApiError('METHOD_NOT_ALLOWED', 'another method')
    : new ApiError('NOT_FOUND', 'nothing is there');
}

function parseBody<T>(body: Uint8Array, maxBytes: number, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parseJson(body, { maxBytes, maxDepth: MAX_JSON_DEPTH });
  } catch (error) {
    throw new ApiError('REQUEST_MALFORMED', 'the body is not strict JSON', {}, error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ApiError('REQUEST_MALFORMED', 'the body is not what this operation takes');
  return parsed.data;
}

function describeRefusal(error: unknown): Answer {
  const code = errorCode(error);
  const status = error instanceof HttpSignatureError ? 401 : error instanceof HoldfastError ? 403 : 500;
  return { status: STATUS[code] ?? status, body: { error: code } };
}
