import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import * as z from 'zod';
import { NodeRefusal } from '../../client/index.ts';
import { parseReview } from '../../policy/approvals/index.ts';
import { errorResponseSchema } from '../../shared/api/bodies.ts';
import { MAX_REVIEW_BYTES, type ReviewResponse, type VoteRequest } from '../../shared/api/requests.ts';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { parseJson } from '../../shared/json/index.ts';
import { ApproveError } from './errors.ts';

const TIMEOUT_MS = 30_000;
const MAX_VOTE_RESPONSE_BYTES = 64 * 1024;

/** Where a request waits: a node, or the door of its parent. */
export interface RequestAddress {
  readonly url: URL;
  readonly id: string;
}

/** Fetches a request for review. @throws ApproveError REQUEST_UNREACHABLE; NodeRefusal; ReviewError */
export async function fetchReview(address: RequestAddress): Promise<ReviewResponse> {
  return parseReview(await send(address, 'GET', 'review', MAX_REVIEW_BYTES));
}

/** Sends a vote. @throws ApproveError REQUEST_UNREACHABLE; NodeRefusal with the node's code */
export async function sendVote(address: RequestAddress, vote: VoteRequest): Promise<void> {
  await send(address, 'POST', 'votes', MAX_VOTE_RESPONSE_BYTES, JSON.stringify(vote));
}

async function send(
  { url, id }: RequestAddress,
  method: string,
  what: string,
  maximum: number,
  body = '',
): Promise<Uint8Array> {
  const target = new URL(`/v1/requests/${id}/${what}`, url);
  const options = {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers:
      method === 'GET'
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    // Nothing is believed for the connection's sake: what comes is signed by the node, and what goes by the approver.
    rejectUnauthorized: false,
  };
  let status: number | undefined;
  let bytes: Uint8Array;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent =
        target.protocol === 'https:' ? requestHttps(target, options) : requestHttp(target, options);
      sent.once('response', resolve).once('error', reject).end(body);
    });
    status = response.statusCode;
    bytes = await collect(response, maximum);
  } catch (cause) {
    throw new ApproveError('REQUEST_UNREACHABLE', 'expected a response', { url: url.href }, cause);
  }
  if (status !== 200) throw toRefusal(bytes, status, url);
  return bytes;
}

async function collect(response: AsyncIterable<Buffer>, maximum: number): Promise<Uint8Array> {
  const collected = new ByteCollector(maximum);
  for await (const chunk of response) {
    if (!collected.add(chunk)) throw new RangeError('the response is longer than its maximum');
  }
  return collected.bytes();
}

function toRefusal(bytes: Uint8Array, status: number | undefined, url: URL): Error {
  try {
    const { error } = errorResponseSchema.parse(
      parseJson(bytes, { maxBytes: MAX_VOTE_RESPONSE_BYTES, maxDepth: 1 }),
    );
    return new NodeRefusal(error, `the node refuses: ${error}`, { status });
  } catch (cause) {
    if (!(cause instanceof z.ZodError) && !(cause instanceof Error)) throw cause;
    return new ApproveError(
      'REQUEST_UNREACHABLE',
      'the response is none of a node',
      { url: url.href },
      cause,
    );
  }
}
