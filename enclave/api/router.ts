import type { RequestHead, SignedHead } from '../../shared/http-signature/index.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_REQUEST_BYTES } from '../../shared/api/bodies.ts';
import type * as z from 'zod';
import { type ForwardedRequest, forwardRequest, RefusedRequest } from '../signing/index.ts';
import { ApiError } from './errors.ts';
import type { ApiResponse, HeadHandler } from './http-server.ts';
import { describeRefusal } from './status.ts';

const MAX_JSON_DEPTH = 8;
/** Longest body of an unsigned request, in bytes: strangers cannot cause much work. */
const MAX_UNSIGNED_BYTES = 1024;

/** The body of a response with status 202 (RFC 9110, 15.3.3): the request waits. */
export class Accepted {
  readonly body: unknown;

  constructor(body: unknown) {
    this.body = body;
  }
}

/** A response of another protocol than this interface's JSON. */
export class TextResponse {
  readonly status: number;
  readonly body: string;
  readonly type: string;

  constructor(status: number, body: string, type: string) {
    this.status = status;
    this.body = body;
    this.type = type;
  }
}

/** One operation of the interface. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Matches the whole path; its groups are handed to `act`. */
  readonly path: RegExp;
  readonly isSigned: boolean;
  /** Longest body in bytes; by default {@link MAX_REQUEST_BYTES} of a signed request, 1,024 of another. */
  readonly maxBytes?: number;
  readonly act: (input: RouteInput) => unknown;
}

export interface RouteInput {
  /** The id of the client that signed; '' on routes without a signature. */
  readonly client: string;
  readonly captures: readonly string[];
  readonly body: Uint8Array;
  /** Collects what other nodes need in order to verify the request themselves. */
  readonly forward: () => ForwardedRequest;
  /** Parses the body as strict JSON of a schema. @throws ApiError REQUEST_MALFORMED */
  readonly parse: <T>(schema: z.ZodType<T>) => T;
}

export interface RouterOptions {
  /** Verifies the signature of a request before its body is there, or throws. */
  readonly authenticate: (head: RequestHead) => Pick<SignedHead, 'clientId' | 'admit'>;
  /** Receives every error that a request meets, before the response with its code is sent. */
  readonly onError: (error: unknown) => void;
}

/** Creates a handler from routes. Route, size and signature are checked before a body is read. */
export function createRouter(
  routes: readonly Route[],
  { authenticate, onError }: RouterOptions,
): HeadHandler {
  const refuse = (error: unknown): ApiResponse => {
    onError(error);
    const { status, code } = describeRefusal(error);
    return { status, body: { error: code, ...receiptOf(error) } };
  };
  return (head) => {
    try {
      const { route, captures } = findRoute(routes, head);
      const maxBytes = route.maxBytes ?? (route.isSigned ? MAX_REQUEST_BYTES : MAX_UNSIGNED_BYTES);
      if (head.contentLength > maxBytes) {
        throw new ApiError(
          'REQUEST_TOO_LARGE',
          `a body of ${head.contentLength} bytes, at most ${maxBytes} allowed`,
          {
            maxBytes,
          },
        );
      }
      const signed = route.isSigned ? authenticate(head) : undefined;
      const carryOut = async (body: Uint8Array): Promise<ApiResponse> => {
        try {
          signed?.admit(body);
          const parse = <T>(schema: z.ZodType<T>) => parseBody(body, maxBytes, schema);
          const forward = () => forwardRequest(head, body);
          const client = signed?.clientId ?? '';
          const result = await route.act({ client, captures, body, forward, parse });
          if (result instanceof TextResponse) {
            const { status, body: text, type } = result;
            return { status, body: text, type };
          }
          return result instanceof Accepted
            ? { status: 202, body: result.body }
            : { status: 200, body: result };
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

/** The receipts of a refusal that was decided; who is no client gets none. */
function receiptOf(error: unknown): Partial<Pick<RefusedRequest, 'receipt' | 'receipts'>> {
  if (!(error instanceof RefusedRequest)) return {};
  const { receipt, receipts } = error;
  return { receipt, ...(receipts.length === 0 ? {} : { receipts }) };
}

function findRoute(routes: readonly Route[], { method, target }: RequestHead) {
  const allowed: string[] = [];
  for (const route of routes) {
    const match = route.path.exec(target);
    if (match === null) continue;
    if (route.method === method) return { route, captures: match.slice(1) };
    allowed.push(route.method);
  }
  throw allowed.length > 0
    ? new ApiError('METHOD_NOT_ALLOWED', `expected ${allowed.join(' or ')}, found ${method}`, { target })
    : new ApiError('NOT_FOUND', 'the interface has no such path', { target });
}

function parseBody<T>(body: Uint8Array, maxBytes: number, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parseJson(body, { maxBytes, maxDepth: MAX_JSON_DEPTH });
  } catch (error) {
    throw new ApiError('REQUEST_MALFORMED', 'the body is not strict JSON', {}, error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new ApiError('REQUEST_MALFORMED', 'the body does not have the members of this operation');
  return parsed.data;
}
