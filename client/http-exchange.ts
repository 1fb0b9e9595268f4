import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { type Agent, request as startRequest, type RequestOptions } from 'node:https';
import { HoldfastError } from '../shared/errors.ts';
import { ClientError } from './errors.ts';

export interface Exchange {
  readonly method: string;
  readonly target: string;
  /** The Host header. */
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The longest body that is taken of an answer. */
  readonly maxResponseBytes: number;
  readonly timeoutMs: number;
  /** The connections to use, or the one connection. */
  readonly via: { readonly agent: Agent } | Pick<RequestOptions, 'createConnection'>;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

const MAX_HEADER_BYTES = 8 * 1024;
const MAX_HEADER_FIELDS = 64;

/**
 * One request and its answer. The body goes into one buffer of the length that was announced: an answer in chunks, or
 * without a length, is none that a node gives, and pieces that come byte by byte would take many times their size.
 *
 * @throws ClientError ANSWER_LOST, ANSWER_TIMEOUT, ANSWER_MALFORMED, and what opening the connection threw
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
      request.destroy(new ClientError('ANSWER_TIMEOUT', 'no answer in time', { timeoutMs }));
    }, timeoutMs);
    request.once('close', () => {
      clearTimeout(timer);
      // An upgrade that nobody asked for has neither an error nor an answer.
      if (!isAnswered) reject(new ClientError('ANSWER_LOST', 'the connection ended without an answer'));
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
  if (announced === undefined || coding !== undefined) throw malformed('an answer without a length', {});
  const length = Number(announced);
  if (length > maxBytes) throw malformed('the answer is too long', { maximum: maxBytes, actual: length });
  const body = Buffer.allocUnsafeSlow(length);
  let received = 0;
  response.on('data', (piece: Buffer) => (received += piece.copy(body, received)));
  // Rejects where the connection breaks first.
  await once(response, 'end');
  return body;
}

function malformed(message: string, details: Readonly<Record<string, number>>): ClientError {
  return new ClientError('ANSWER_MALFORMED', message, details);
}

function describeFailure(error: Error): Error {
  return error instanceof HoldfastError
    ? error
    : new ClientError('ANSWER_LOST', 'the connection broke', {}, error);
}
