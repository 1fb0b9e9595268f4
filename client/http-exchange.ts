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
  readonly timeoutMs: number;
  /** The connections to use, or the one connection. */
  readonly via: { readonly agent: Agent } | Pick<RequestOptions, 'createConnection'>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** A thousand keys with room to spare. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * One request and its answer.
 *
 * @throws ClientError ANSWER_LOST, ANSWER_TIMEOUT, ANSWER_MALFORMED, and what opening the connection threw
 */
export function exchange(input: Exchange): Promise<HttpAnswer> {
  const { method, target, authority, headers, body, timeoutMs, via } = input;
  return new Promise((resolve, reject) => {
    const request = startRequest({
      ...via,
      method,
      path: target,
      headers: {
        host: authority,
        ...headers,
        ...(body === undefined ? {} : { 'content-length': body.length }),
      },
    });
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
      readAnswer(response).then(
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

async function readAnswer(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new ClientError('ANSWER_MALFORMED', 'the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function describeFailure(error: Error): Error {
  return error instanceof HoldfastError
    ? error
    : new ClientError('ANSWER_LOST', 'the connection broke', {}, error);
}
