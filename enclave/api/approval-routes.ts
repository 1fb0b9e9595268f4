import {
  MAX_VOTE_BYTES,
  PENDING_REQUEST_PAYLOAD_TYPE,
  type PendingRequestDocument,
  resumeRequestSchema,
  type ReviewResponse,
  type VoteResponse,
  voteRequestSchema,
} from '../../shared/api/requests.ts';
import { createEnvelope, type Envelope } from '../../shared/dsse/index.ts';
import {
  describePending,
  type PendingRequest,
  type PendingRequests,
  type ReceivedVote,
  summarise,
} from '../approvals/index.ts';
import type { ForwardedRequest } from '../signing/index.ts';
import { ApiError } from './errors.ts';
import type { Route } from './router.ts';

/** Milliseconds for which one attestation document serves all reviews: the NSM serves one call at a time. */
const DOCUMENT_MAX_AGE_MS = 60_000;
/** The most votes a second whose signature is verified: whoever knows an id could otherwise keep a core busy. */
const MAX_VOTES_PER_SECOND = 32;
const SECOND_MS = 1_000;

const ID = '([0-9a-f]{32})';

/** What the routes of requests that wait are made from. */
export interface ApprovalRouteOptions {
  readonly requests: PendingRequests;
  /** SHA-384 of the manifest, in hex. */
  readonly manifest: string;
  /** Signed configuration in force, as it came. */
  readonly configuration: Uint8Array;
  /** Reads a request again, for its approvers; the transaction in the JSON form of receipts. */
  readonly read: (request: PendingRequest) => Pick<PendingRequestDocument, 'transaction' | 'context'>;
  /** Signs an envelope with the receipt key, which `attest` vouches for. */
  readonly signEnvelope: (envelope: Envelope) => Envelope;
  /** Gets an attestation document whose user_data names the receipt key. */
  readonly attest: () => Promise<Uint8Array>;
  /** Appends a vote to the log, calls `apply` while the entry is made, and waits until the entry is sealed. */
  readonly recordVote: (received: ReceivedVote) => Promise<void>;
  /** Decides a request with its approvals and signs, once; gives the response. */
  readonly resume: (client: string, id: string, signed: () => ForwardedRequest) => Promise<unknown>;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** Creates the routes of requests that wait for approvals; shared/api/requests.ts lists them. */
export function createApprovalRoutes(options: ApprovalRouteOptions): Route[] {
  const { requests, recordVote, resume } = options;
  const document = cacheFor(DOCUMENT_MAX_AGE_MS, options.now, options.attest);
  const takeVote = createLimit(MAX_VOTES_PER_SECOND, options.now);
  const path = (rest: string) => new RegExp(`^/v1/requests/${ID}${rest}$`);
  return [
    {
      method: 'GET',
      path: /^\/v1\/requests$/,
      isSigned: true,
      act: ({ client }) => ({ requests: requests.list(client).map(summarise) }),
    },
    {
      method: 'GET',
      path: path(''),
      isSigned: true,
      act: ({ client, captures: [id = ''] }) => summarise(requests.findOwn(client, id)),
    },
    {
      method: 'POST',
      path: path(''),
      isSigned: true,
      act: ({ client, captures: [id = ''], forward, parse }) => {
        parse(resumeRequestSchema);
        return resume(client, id, forward);
      },
    },
    {
      method: 'GET',
      path: path('/review'),
      isSigned: false,
      act: async ({ captures: [id = ''] }): Promise<ReviewResponse> => {
        const pending = describePending(requests.find(id), options);
        const payload = Buffer.from(JSON.stringify(pending));
        const envelope = options.signEnvelope(createEnvelope(PENDING_REQUEST_PAYLOAD_TYPE, payload));
        return {
          envelope: Buffer.from(JSON.stringify(envelope)).toString('base64'),
          document: Buffer.from(await document()).toString('base64'),
          configuration: Buffer.from(options.configuration).toString('base64'),
        };
      },
    },
    {
      method: 'POST',
      path: path('/votes'),
      isSigned: false,
      maxBytes: MAX_VOTE_BYTES,
      act: async ({ captures: [id = ''], parse }): Promise<VoteResponse> => {
        const vote = parse(voteRequestSchema);
        requests.find(id);
        takeVote();
        const { state, votes, needs } = summarise(await requests.vote(id, vote, recordVote));
        return { state, votes, needs };
      },
    },
  ];
}

/** Keeps a value for a while; calls at the same time share one attempt, and a failed one is not kept. */
function cacheFor<T>(maxAgeMs: number, now: () => number, get: () => Promise<T>): () => Promise<T> {
  let kept: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    const at = now();
    if (kept === undefined || at - kept.at >= maxAgeMs) {
      const value = get();
      const attempt = { at, value };
      kept = attempt;
      value.catch(() => {
        if (kept === attempt) kept = undefined;
      });
    }
    return kept.value;
  };
}

/** Creates a function that throws where it is called more often than that in one second. @throws ApiError OVERLOADED */
function createLimit(maximum: number, now: () => number): () => void {
  let second = 0;
  let count = 0;
  return () => {
    const current = Math.floor(now() / SECOND_MS);
    if (current !== second) [second, count] = [current, 0];
    count += 1;
    if (count > maximum) throw new ApiError('OVERLOADED', `expected at most ${maximum} votes in one second`);
  };
}
