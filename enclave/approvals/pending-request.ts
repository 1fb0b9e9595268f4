import * as z from 'zod';
import { algorithmSchema } from '../../shared/algorithms.ts';
import { childPathSchema } from '../../shared/api/child-path.ts';
import { payloadSchema } from '../../shared/api/payloads.ts';
import { voteRequestSchema } from '../../shared/api/requests.ts';
import { type ForwardedRequest, forwardedRequestSchema } from '../signing/forwarded-request.ts';

const identifier = z.string();
const time = z.int();

/** A request that waits, as it is sealed once: table `pending`. */
export const pendingSchema = z.strictObject({
  format: z.literal('holdfast-pending/1'),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  client: identifier,
  request: z.strictObject({
    key: identifier,
    algorithm: algorithmSchema,
    payload: payloadSchema,
    path: childPathSchema.optional(),
  }),
  /** SHA-256 of the canonical request, in hex. */
  digest: z.string(),
  rule: identifier,
  /** `count` people of each group; all of them distinct. */
  needs: z.array(z.strictObject({ group: identifier, count: z.int().min(1) })),
  configuration: z.strictObject({ version: z.int(), digest: z.string() }),
  created: time,
  expires: time,
});
export type PendingRequest = Readonly<z.infer<typeof pendingSchema>>;

/** A vote that counts, with everything that its signature was made over: in the form of receipts. */
export const voteSchema = z.strictObject({
  approver: identifier,
  decision: z.enum(['approve', 'reject']),
  ...voteRequestSchema.shape,
  /** Time of the vote by the NSM's clock, in milliseconds since 1970. */
  time,
});
export type Vote = Readonly<z.infer<typeof voteSchema>>;
/** The votes on a request: table `votes`. */
export const votesSchema = z.array(voteSchema);

/** The response to a request that was carried out: table `results`. Null where it was too long to keep. */
export const resultSchema = z.strictObject({ result: z.json().nullable() });

/** Last signature counter of a passkey: table `credentials`. */
export const counterSchema = z.strictObject({ credential: z.string(), counter: z.int().min(0) });

/**
 * A client's request as it came, with its signature: table `signed-requests`, for requests that other nodes verify too.
 * The body is the text of its JSON.
 */
export const signedSchema = z.strictObject({
  ...forwardedRequestSchema.shape,
  body: z.string(),
});
export type KeptSigned = Readonly<z.infer<typeof signedSchema>>;

/** Converts a signed request to the form in which it is kept: strict JSON is UTF-8 without a byte order mark. */
export function keepSigned({ body, ...rest }: ForwardedRequest): KeptSigned {
  return { ...rest, body: Buffer.from(body).toString() };
}

export function restoreSigned({ body, ...rest }: KeptSigned): ForwardedRequest {
  return { ...rest, body: new Uint8Array(Buffer.from(body)) };
}
