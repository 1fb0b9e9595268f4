import * as z from 'zod';
import { signedMessageSchema, TranscriptError } from '../../../audit/transcript/index.ts';
import { type CborEncodable, decodeCborObject, encodeCbor } from '../../../shared/cbor/index.ts';
import { MAX_PEER_BODY_BYTES } from '../../peers/peer-network.ts';

/** Kinds of calls between nodes; each has a schema of its body and one of its answer below. */
export const CALLS = {
  state: 'ceremony/state',
  commit: 'ceremony/commit',
  deal: 'ceremony/deal',
  confirm: 'ceremony/confirm',
  activate: 'ceremony/activate',
  resolve: 'ceremony/resolve',
  abort: 'ceremony/abort',
  news: 'ceremony/news',
} as const;

/** The most keys of one question. */
export const MAX_ASKED_KEYS = 2048;
/** The most certificates in one answer. */
const MAX_CERTIFICATES = 8;

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
const id = bytesOf(16);
const key = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const epoch = z.int().min(0).max(0xffff_ffff);
const messages = z.array(signedMessageSchema).max(64);
const nodes = z.array(z.int().min(1).max(255)).max(255);

export const stateQuestion = z.strictObject({ keys: z.array(key).min(1).max(64) });
const keyStateSchema = z.strictObject({
  key,
  type: z.string(),
  /** The group in force as the node holds a share of it; null where it holds none. */
  group: z
    .strictObject({ epoch, threshold: z.int(), holders: nodes, commitments: z.array(bytes).max(255) })
    .nullable(),
  origin: bytesOf(48).nullable(),
  /** The highest epoch that the node has ever confirmed, or knows of; 0 for none. */
  highest: epoch,
  /** Ceremonies that the node has confirmed and of which it knows no end. */
  unresolved: z.array(z.strictObject({ id, holders: nodes })).max(8),
});
export type KeyState = z.infer<typeof keyStateSchema>;
/** Keys that the node's configuration does not share are left out. */
export const stateAnswer = z.strictObject({ states: z.array(keyStateSchema).max(64) });

export const commitQuestion = z.strictObject({ plan: bytes, request: bytes.nullable() });
export const dealQuestion = z.strictObject({ id, commits: messages });
export const confirmQuestion = z.strictObject({ id, deals: messages });
/** The answer to the three: the node's own signed message of the step. */
export const messageAnswer = z.strictObject({ message: signedMessageSchema });

export const activateQuestion = z.strictObject({ certificate: bytes });

export const resolveQuestion = z.strictObject({ id, planDigest: bytesOf(32), key, epoch });
export const resolveAnswer = z.strictObject({
  /** The node's `confirm` or `abort`. */
  message: signedMessageSchema.nullable(),
  certificate: bytes.nullable(),
});

export const abortQuestion = z.strictObject({ id, message: signedMessageSchema });

export const newsQuestion = z.strictObject({
  keys: z
    .array(z.strictObject({ key, epoch: epoch.nullable(), unresolved: z.array(id).max(8) }))
    .max(MAX_ASKED_KEYS),
});
/** Certificates that the asking node lacks. */
export const newsAnswer = z.strictObject({ certificates: z.array(bytes).max(MAX_CERTIFICATES) });

export function encodeCall(value: CborEncodable): Uint8Array<ArrayBuffer> {
  return encodeCbor(value);
}

/** Decodes the body of a call or an answer; byte strings are copies. @throws TranscriptError TRANSCRIPT_MALFORMED */
export function decodeCall<Schema extends z.ZodType>(schema: Schema, body: Uint8Array): z.infer<Schema> {
  let value: unknown;
  try {
    value = decodeCborObject(body.slice(), { maxBytes: MAX_PEER_BODY_BYTES, maxDepth: 8 });
  } catch (error) {
    throw new TranscriptError('TRANSCRIPT_MALFORMED', 'expected a call in strict CBOR', {}, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TranscriptError('TRANSCRIPT_MALFORMED', 'expected the members of a call', {
    path: parsed.error.issues[0]?.path.join('.'),
  });
}

/** Decodes the answer of another node; undefined for one that is none, which is worth no more than silence. */
export function decodeAnswer<Schema extends z.ZodType>(
  schema: Schema,
  body: Uint8Array,
): z.infer<Schema> | undefined {
  try {
    return decodeCall(schema, body);
  } catch (error) {
    if (error instanceof TranscriptError) return undefined;
    throw error;
  }
}
