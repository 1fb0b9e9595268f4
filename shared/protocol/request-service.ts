import type * as z from 'zod';
import type { CborEncodable } from '../cbor/index.ts';

/** The content of a frame: a CBOR map whose `type` says which members it has. */
export interface Message {
  readonly type: string;
  readonly [member: string]: CborEncodable;
}

/**
 * A service of the parent: an enclave connects to its port, sends one framed request, gets one response, and goes on
 * with the next. A response has the request's `type`, or is `{type: 'error', code}`.
 */
export interface RequestService<Request extends Message, Response extends Message> {
  /** The name in logs. */
  readonly name: string;
  /** One of `PARENT_PORT`. */
  readonly port: number;
  /** Of one frame either way, length field included. */
  readonly maxFrameBytes: number;
  readonly requestSchema: z.ZodType<Request>;
  readonly responseSchema: z.ZodType<Response>;
  /** The parent's last response on a connection that brought something else than a request. */
  readonly badRequest: Response;
}

/** The response that answers a request, where it is no error. */
export type ResponseTo<Request extends Message, Response extends Message> = Extract<
  Response,
  { type: Request['type'] }
>;

/** The codes that a service answers with instead of doing what it was asked. */
export type ErrorCodeOf<Response extends Message> = Extract<
  Response,
  { type: 'error'; code: string }
>['code'];

/** Why the enclave has no response, where the parent's own error does not say it. */
export type LinkFailure =
  /** Not a frame, not a response, not the response to what was asked, or one too many. */
  | 'ANSWER_INVALID'
  | 'CLOSED'
  /** The parent could not be reached, or hung up, until the deadline passed. */
  | 'DISCONNECTED'
  /** The parent said nothing until the deadline passed. */
  | 'TIMEOUT';
