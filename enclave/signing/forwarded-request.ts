import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { MAX_SIGN_REQUEST_BYTES } from '../../shared/api/bodies.ts';
import {
  collectSignedFields,
  type RequestHead,
  SIGNED_FIELDS,
  type SignedField,
  verifySignedHead,
} from '../../shared/http-signature/index.ts';

const MAX_TARGET_LENGTH = 1024;
const MAX_FIELD_LENGTH = 512;

const field = z.string().max(MAX_FIELD_LENGTH);

/**
 * A client's signed request as one node hands it on to the others: the request line, the fields that its signature is in
 * or covers, and the body as it came. In CBOR the body is a byte string.
 */
export const forwardedRequestSchema = z.strictObject({
  method: z.enum(['POST', 'PUT']),
  target: z.string().max(MAX_TARGET_LENGTH),
  fields: z.strictObject({
    'signature-input': field,
    signature: field,
    'holdfast-session': field,
    'content-digest': field,
    'content-type': field,
  } satisfies Record<SignedField, z.ZodString>),
  body: z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length <= MAX_SIGN_REQUEST_BYTES,
    { error: 'longer than any body' },
  ),
});
export type ForwardedRequest = z.infer<typeof forwardedRequestSchema>;

/** What the receiver of a forwarded request knows by itself. */
export interface ForwardingVerifier {
  /** Session of the node that forwards, from its attested identity. */
  readonly session: string;
  /** Finds the Ed25519 public key of a client in the receiver's own configuration. */
  readonly findKey: (clientId: string) => KeyObject | undefined;
  /** Milliseconds since 1970, by the receiver's NSM. */
  readonly now: number;
  /** Seconds after its creation at which the signature has expired; by default those of any request. */
  readonly maxAgeSeconds?: number;
}

/** A forwarded request that its client has signed. */
export interface VerifiedForwarding {
  readonly clientId: string;
  /** Seconds since 1970. */
  readonly created: number;
  /**
   * Names the request among all requests of all clients: whoever remembers it acts on a request once. All that the client
   * has signed is in it: a client, or two boots of nodes, may use one nonce for two requests.
   */
  readonly id: string;
}

/** Collects what is to be forwarded of a request that this node has verified. */
export function forwardRequest(
  { method, target, rawHeaders }: RequestHead,
  body: Uint8Array,
): ForwardedRequest {
  const fields = collectSignedFields(rawHeaders);
  return forwardedRequestSchema.parse({ method, target, fields, body });
}

/**
 * Verifies a request that another node has forwarded: its client has signed these very bytes for the session of that
 * node. The request may have been seen before: the caller remembers `id`.
 *
 * @throws HttpSignatureError but SIGNATURE_REPLAYED and REPLAY_CACHE_FULL
 */
export function verifyForwardedRequest(
  { method, target, fields, body }: ForwardedRequest,
  verifier: ForwardingVerifier,
): VerifiedForwarding {
  const rawHeaders = SIGNED_FIELDS.flatMap((name) => [name, fields[name]]);
  const head = { method, target, rawHeaders, contentLength: body.length };
  const { clientId, created, signedDigest, admit } = verifySignedHead(head, {
    ...verifier,
    replay: { admit: () => 'admitted' },
  });
  admit(body);
  return { clientId, created, id: `${clientId} ${created} ${signedDigest}` };
}
