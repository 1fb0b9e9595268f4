import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { type Agent, request as startRequest, type RequestOptions } from 'node:https';
import { HoldfastError } from '../shared/errors.ts';
import { ClientError } from './errors.ts';

/** One request, with the limits for its response. */
export interface Exchange {
  readonly method: string;
  /** Request target in origin-form (RFC 9112 section 3.2.1). */
  readonly target: string;
  /** Value of the Host header. */
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Maximum length of the response's body in bytes. */
  readonly maxResponseBytes: number;
  /** Deadline of the whole exchange in milliseconds. */
  readonly timeoutMs: number;
  /** Connections to use: an agent's, or one that is open already. */
  readonly via: { readonly agent: Agent } | Pick<RequestOptions, 'createConnection'>;
}

/** A response whose body has arrived in full. */
export interface HttpResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

const MAX_HEADER_BYTES = 8 * 1024;
const MAX_HEADER_FIELDS = 64;

/**
 * Sends one request and reads its response. The body goes into one buffer of the announced length, since a list of pieces
 * that arrive byte by byte would take many times their size; a node announces the length of every response, so a body in
 * chunks or without a length is refused.
 *
 * @throws ClientError ANSWER_LOST, ANSWER_TIMEOUT, ANSWER_MALFORMED, and the error of opening the connection
 */
export function exchange(input: Exchange): Promise<HttpResponse> {
  const { method, target, authority, headers, body, maxResponseBytes, timeoutMs, via } = input;
  return new Promise((resolve, reject) => {
    const request = startRequest({
      ...via,
      method,
      path: target,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        host: authority,
        ...headers,
        ...(body === undefined ? {} : { 'content-length': body.length }),
      },
    });
    request.maxHeadersCount = MAX_HEADER_FIELDS;
    let isAnswered = false;
    const timer = setTimeout(() => {
      request.destroy(new ClientError('ANSWER_TIMEOUT', `no response within ${timeoutMs} ms`, { timeoutMs }));
    }, timeoutMs);
    request.once('close', () => {
      clearTimeout(timer);
      // A response that upgrades the protocol unasked emits neither an error nor a response.
      if (!isAnswered) reject(new ClientError('ANSWER_LOST', 'the connection ended without a response'));
    });
    request.once('error', (error) => reject(describeFailure(error)));
    request.once('response', (response) => {
      isAnswered = true;
      readBody(response, maxResponseBytes).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }),
        (error: Error) => {
          request.destroy();
          reject(describeFailure(error));
        },
      );
    });
    request.end(body);
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const { 'content-length': announced, 'transfer-encoding': coding } = response.headers;
  if (announced === undefined || coding !== undefined)
    throw malformed('the response has no Content-Length, or a Transfer-Encoding', {});
  const length = Number(announced);
  if (length > maxBytes)
    throw malformed(`the response has ${length} bytes: expected at most ${maxBytes}`, {
      maximum: maxBytes,
      actual: length,
    });
  const body = Buffer.allocUnsafeSlow(length);
  let received = 0;
  response.on('data', (piece: Buffer) => (received += piece.copy(body, received)));
  // Rejects when the connection breaks before the end.
  await once(response, 'end');
  return body;
}

function malformed(message: string, details: Readonly<Record<string, number>>): ClientError {
  return new ClientError('ANSWER_MALFORMED', message, details);
}

function describeFailure(error: Error): Error {
  return error instanceof HoldfastError
    ? error
    : new ClientError('ANSWER_LOST', 'the connection broke before the response had arrived', {}, error);
}
