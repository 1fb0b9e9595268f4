import * as z from 'zod';
import { algorithmSchema } from '../algorithms.ts';
import { childPathSchema } from './child-path.ts';
import { payloadSchema } from './payloads.ts';

/**
 * Bodies of requests that wait for approvals:
 *
 * GET  /v1/requests                  the client's requests that wait          (signed request)
 * GET  /v1/requests/{id}             the state of one                         (signed request)
 * POST /v1/requests/{id}             carries it out once it is approved       (signed request)
 * GET  /v1/requests/{id}/review      the request, for its approvers
 * POST /v1/requests/{id}/votes       an approval or a rejection
 *
 * The last two need no signature of a client: the id is random and known to those who were given it, and a vote is
 * authenticated by its own signature.
 */

/** Longest body of a vote, in bytes. */
export const MAX_VOTE_BYTES = 12 * 1024;
/** Longest response to a review, in bytes: request, attestation document and configuration in base64. */
export const MAX_REVIEW_BYTES = 3 * 1024 * 1024;

/** Longest list of requests, in bytes: 64 of one client, each with the people who may approve it. */
export const MAX_REQUEST_LIST_BYTES = 4 * 1024 * 1024;

/** DSSE payload type of a request that waits, as the node signs it for its approvers. */
export const PENDING_REQUEST_PAYLOAD_TYPE = 'application/vnd.holdfast.pending-request+json';

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const base64 = (maximumBytes: number) => z.base64().max(4 * Math.ceil(maximumBytes / 3));
const time = z.int().min(0).max(8.64e15);

/** Id of a request that waits: 128 random bits. */
export const requestIdSchema = hex(16);
const decisionSchema = z.enum(['approve', 'reject']);
const configurationSchema = z.strictObject({
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  digest: hex(48),
});

/** Consent that is asked for: `count` people of a group, distinct ones across all groups. */
const needSchema = z.strictObject({
  group: identifier,
  count: z.int().min(1).max(32),
  approvers: z.array(identifier).max(256),
});
export type ApprovalNeed = z.infer<typeof needSchema>;

/** A vote that counts. */
const castVoteSchema = z.strictObject({ approver: identifier, decision: decisionSchema, time });

export const voteRequestSchema = z.strictObject({
  /** The statement that was signed (policy/approvals/SPEC.md). */
  statement: base64(2048),
  proof: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('passkey'),
      /** base64url, as the configuration has it. */
      credentialId: z.string().regex(/^[A-Za-z0-9_-]{1,1364}$/),
      authenticatorData: base64(1024),
      clientDataJSON: base64(1024),
      signature: base64(72),
    }),
    z.strictObject({ type: z.literal('ed25519'), publicKey: hex(32), signature: base64(64) }),
  ]),
});
export type VoteRequest = z.infer<typeof voteRequestSchema>;

/** Body of the request to carry out one that waited: nothing but that it is one. */
export const resumeRequestSchema = z.strictObject({});

/** State of a request: it waits for approvals, somebody has rejected it, or it was carried out. */
export const REQUEST_STATES = ['waiting', 'rejected', 'done'] as const;
const requestStateSchema = z.enum(REQUEST_STATES);

/** The votes on a request, and what it still needs. */
const progress = {
  state: requestStateSchema,
  votes: z.array(castVoteSchema).max(64),
  needs: z.array(needSchema).max(16),
};
export const voteResponseSchema = z.strictObject(progress);
export type VoteResponse = z.infer<typeof voteResponseSchema>;

export const requestSummarySchema = z.strictObject({
  id: requestIdSchema,
  /** SHA-256 of the canonical request, see `digestRequest`. */
  digest: hex(32),
  key: identifier,
  algorithm: algorithmSchema,
  /** Kind of the payload. */
  kind: z.string().max(64),
  rule: identifier,
  created: time,
  expires: time,
  ...progress,
});
export type RequestSummary = z.infer<typeof requestSummarySchema>;
export const requestListSchema = z.strictObject({ requests: z.array(requestSummarySchema) });

/** A request that waits, as its approvers read it: the payload of a DSSE envelope that the node's receipt key signs. */
export const pendingRequestSchema = z.strictObject({
  format: z.literal('holdfast-pending-request/1'),
  id: requestIdSchema,
  digest: hex(32),
  client: identifier,
  request: z.strictObject({
    key: identifier,
    algorithm: algorithmSchema,
    payload: payloadSchema,
    /** The public key in `context` is that of the child. */
    path: childPathSchema.optional(),
  }),
  /** What a decoder needs to know beside the payload. */
  context: z.strictObject({
    publicKey: z.string().regex(/^([0-9a-f]{2}){0,128}$/),
    networks: z.array(z.string().max(64)).max(64),
    ownKeys: z
      .array(z.strictObject({ id: identifier, publicKey: z.string().regex(/^([0-9a-f]{2}){1,128}$/) }))
      .max(1024),
  }),
  /** The transaction as the node has decoded it, in the JSON form of a receipt. A reader decodes it again and compares. */
  transaction: z.json(),
  manifest: hex(48),
  configuration: configurationSchema,
  rule: identifier,
  needs: z.array(needSchema).max(16),
  votes: z.array(castVoteSchema).max(64),
  created: time,
  expires: time,
  /** Time of this envelope by the NSM's clock. */
  time,
});
export type PendingRequestDocument = z.infer<typeof pendingRequestSchema>;

export const reviewResponseSchema = z.strictObject({
  /** DSSE envelope of {@link pendingRequestSchema}, in base64 of its JSON. */
  envelope: base64(1024 * 1024),
  /** An attestation document whose user_data names the receipt key. */
  document: base64(16 * 1024),
  /** The signed configuration in force, for the names of addresses and people. */
  configuration: base64(1024 * 1024),
});
export type ReviewResponse = z.infer<typeof reviewResponseSchema>;
