import type { RequestHead, SignedHead } from '../../shared/http-signature/index.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_REQUEST_BYTES } from '../../shared/node/api.ts';
import type * as z from 'zod';
import { ApiError } from './errors.ts';
import type { Answer, Handler } from './http-server.ts';
import { describeRefusal } from './status.ts';

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

export interface RouterOptions {
  /** Verifies the signature of a request before its body is there, or throws. */
  readonly authenticate: (head: RequestHead) => SignedHead;
  /** Hears of every error that a request met, before the request is answered with its code. */
  readonly onError: (error: unknown) => void;
}

/** Makes a handler of routes: route, size and signature are looked at before a body is read. */
export function createRouter(routes: readonly Route[], { authenticate, onError }: RouterOptions): Handler {
  const refuse = (error: unknown): Answer => {
    onError(error);
    const { status, code } = describeRefusal(error);
    return { status, body: { error: code } };
  };
  return (head) => {
    try {
      const { route, captures } = findRoute(routes, head);
      const maxBytes = route.isSigned ? MAX_REQUEST_BYTES : MAX_UNSIGNED_BYTES;
      if (head.contentLength > maxBytes) {
        throw new ApiError('REQUEST_TOO_LARGE', 'a body longer than this operation takes', { maxBytes });
      }
      const signed = route.isSigned ? authenticate(head) : undefined;
      const carryOut = async (body: Uint8Array): Promise<Answer> => {
        try {
          signed?.admit(body);
          const parse = <T>(schema: z.ZodType<T>) => parseBody(body, maxBytes, schema);
          return { status: 200, body: await route.act({ client: signed?.clientId ?? '', captures, parse }) };
        } catch (error) {
          return refuse(error);
        }
      };
      return Object.assign(carryOut, { client: signed?.clientId });
    } catch (error) {
      return refuse(error);
    }
  };
}

function findRoute(routes: readonly Route[], { method, target }: RequestHead) {
  let isKnown = false;
  for (const route of routes) {
    const match = route.path.exec(target);
    if (match === null) continue;
    isKnown = true;
    if (route.method === method) return { route, captures: match.slice(1) };
  }
  throw isKnown
    ? new ApiError('METHOD_NOT_ALLOWED', `${target} takes another method than ${method}`)
    : new ApiError('NOT_FOUND', 'the interface has no such path');
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
