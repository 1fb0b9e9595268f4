import { parseReview } from '../../policy/approvals/index.ts';
import { MAX_REVIEW_BYTES, type ReviewResponse, type VoteRequest } from '../../shared/api/requests.ts';
import { PageError } from './trust.ts';

const TIMEOUT_MS = 20_000;
const MAX_VOTE_RESPONSE_BYTES = 64 * 1024;
const CODE = /"error":"([A-Z][A-Z0-9_]{1,63})"/;

/** Address of a request at a node's parent. Nothing that comes from there is believed without a signature. */
export interface RequestAddress {
  /** Origin: `https://host:port`. */
  readonly door: string;
  /** Id of the request in hex. */
  readonly id: string;
}

/** Gets a request for review. @throws PageError, ReviewError REVIEW_MALFORMED */
export async function fetchReview(address: RequestAddress): Promise<ReviewResponse> {
  return parseReview(await call(address, 'review', { method: 'GET' }, MAX_REVIEW_BYTES));
}

/** Sends a vote. @throws PageError with the node's code where it is refused */
export async function sendVote(address: RequestAddress, vote: VoteRequest): Promise<void> {
  const body = JSON.stringify(vote);
  const headers = { 'content-type': 'application/json' };
  await call(address, 'votes', { method: 'POST', body, headers }, MAX_VOTE_RESPONSE_BYTES);
}

async function call(
  { door, id }: RequestAddress,
  what: string,
  init: RequestInit,
  maxBytes: number,
): Promise<Uint8Array> {
  let response: Response;
  let body: Uint8Array;
  try {
    response = await fetch(`${door}/v1/requests/${id}/${what}`, {
      ...init,
      mode: 'cors',
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await readBody(response, maxBytes);
  } catch (error) {
    if (error instanceof PageError) throw error;
    throw new PageError(`${door} does not respond as a node's parent does.`);
  }
  if (response.ok) return body;
  const code = CODE.exec(new TextDecoder().decode(body))?.[1] ?? `HTTP status ${response.status}`;
  throw new PageError(`The node refuses: ${code}.`);
}

/** Reads a body, and no more of it than its maximum. */
async function readBody({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    length += part.value.length;
    if (length > maxBytes) throw new PageError('The response is longer than any node gives.');
    chunks.push(part.value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
