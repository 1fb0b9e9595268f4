import * as z from 'zod';
import { voteRequestSchema } from '../../../shared/api/requests.ts';
import { type CborEncodable, decodeCborObject, encodeCbor } from '../../../shared/cbor/index.ts';
import { MAX_PEER_BODY_BYTES } from '../../peers/peer-network.ts';
import { forwardedRequestSchema } from '../../signing/forwarded-request.ts';
import { QuorumSigningError } from './errors.ts';
import {
  MAX_BATCHED_REQUESTS,
  MAX_CERTIFICATE_BYTES,
  MAX_COMMIT_COUNT,
  MAX_COMMIT_KEYS,
  MAX_FORWARDED_VOTES,
  MAX_SIGNERS,
  MAX_SIGNINGS,
} from './limits.ts';

/** Kinds of calls between nodes. */
export const SIGN_CALL = 'sign';
export const COMMIT_CALL = 'sign/commit';

const MAX_DEPTH = 8;
const MAX_ITEMS = 32_768;
const ELEMENT_PAIR_BYTES = 66;
const MAX_RECEIPT_JSON_BYTES = 262_144;

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const bytes = (minimum: number, maximum: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length >= minimum && value.length <= maximum,
    { error: 'expected another number of bytes' },
  );
const node = z.int().min(1).max(255);
const epoch = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const handle = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const code = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/);
const digest = bytes(32, 32);
const groupDigest = z.string().regex(/^[0-9a-f]{96}$/);

/** Commitments of one signer for all signatures of a request: hiding ‖ binding of each, one after the other. */
const signerCommitments = z.strictObject({
  participant: node,
  commitments: bytes(64, MAX_SIGNINGS * ELEMENT_PAIR_BYTES),
});
export type SignerCommitments = z.infer<typeof signerCommitments>;

/** The consent to a request that has waited at the coordinator. */
const consentSchema = z.strictObject({
  /** Id of the request that waited, and the end of its time in milliseconds since 1970. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  expires: z.int().min(0).max(8.64e15),
  /** The client's signed request to carry it out. */
  resume: forwardedRequestSchema,
  votes: z.array(voteRequestSchema).min(1).max(MAX_FORWARDED_VOTES),
});
export type ForwardedConsent = z.infer<typeof consentSchema>;

/** One request to sign, as the coordinator forwards it. */
const signEntrySchema = z.strictObject({
  request: forwardedRequestSchema,
  consent: consentSchema.nullable(),
  epoch,
  /** Digest of the group of that epoch. */
  group: groupDigest,
  /** Digest of the coordinator's decision, which the participant compares with its own. */
  decision: digest,
  /** Commitments of all signers in ascending order. */
  package: z.array(signerCommitments).min(2).max(MAX_SIGNERS),
  /** The receiver's nonces, one pair for each signature. */
  nonces: z.array(handle).min(1).max(MAX_SIGNINGS),
  /** The certificate of the epoch, for a node that still signs with the one before. */
  certificate: bytes(1, MAX_CERTIFICATE_BYTES).nullable(),
});
export type SignEntry = z.infer<typeof signEntrySchema>;

const signCallSchema = z.strictObject({ entries: z.array(signEntrySchema).min(1).max(MAX_BATCHED_REQUESTS) });

/** The answer to one request. */
const signAnswerSchema = z.discriminatedUnion('outcome', [
  /** The node has decided alike, recorded it, and signed: one share of each signature. */
  z.strictObject({
    outcome: z.literal('share'),
    shares: bytes(32, 32 * MAX_SIGNINGS),
    /** Digest of the commitments and the request that were signed. */
    package: digest,
    receipt: bytes(1, MAX_RECEIPT_JSON_BYTES),
  }),
  /** The node has decided otherwise, and recorded that. */
  z.strictObject({ outcome: z.literal('denied'), code, receipt: bytes(1, MAX_RECEIPT_JSON_BYTES) }),
  /** The node cannot sign, or not with these nonces or this epoch; another may. */
  z.strictObject({
    outcome: z.literal('unable'),
    code,
    receipt: bytes(1, MAX_RECEIPT_JSON_BYTES).nullable(),
    /** Where the epochs differ: the node's own, and its certificate. */
    epoch: epoch.nullable(),
    certificate: bytes(1, MAX_CERTIFICATE_BYTES).nullable(),
  }),
  /** The answer has no room in this body: the same request, called for by itself, gets it. */
  z.strictObject({ outcome: z.literal('alone') }),
]);
export type AnySignAnswer = z.infer<typeof signAnswerSchema>;
/** The answer to one request, once it is there. */
export type SignAnswer = Exclude<AnySignAnswer, { outcome: 'alone' }>;

const signAnswersSchema = z.strictObject({
  answers: z.array(signAnswerSchema).min(1).max(MAX_BATCHED_REQUESTS),
});

/** Asks for commitments to nonces of several keys, each of an epoch. */
const commitCallSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        key: identifier,
        epoch,
        group: groupDigest,
        count: z.int().min(1).max(MAX_COMMIT_COUNT),
        /** The certificate of the epoch, for a node that still signs with the one before. */
        certificate: bytes(1, MAX_CERTIFICATE_BYTES).nullable(),
      }),
    )
    .min(1)
    .max(MAX_COMMIT_KEYS),
});
export type CommitCall = z.infer<typeof commitCallSchema>;

/** Commitments of one key: those of handle `first`, `first + 1`, …; or why there are none. */
const commitAnswerSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        code: code.nullable(),
        first: handle,
        commitments: bytes(0, MAX_COMMIT_COUNT * ELEMENT_PAIR_BYTES),
        /** Where the epochs differ: the node's own, and its certificate where one key alone is asked for. */
        epoch: epoch.nullable(),
        certificate: bytes(1, MAX_CERTIFICATE_BYTES).nullable(),
      }),
    )
    .max(MAX_COMMIT_KEYS),
});
export type CommitAnswer = z.infer<typeof commitAnswerSchema>;

/** A kind of body with its encoding: CBOR, one map. */
function createCodec<T extends CborEncodable>(schema: z.ZodType<T>) {
  return {
    encode: (value: T): Uint8Array => encodeCbor(value),
    /** Decodes a body. @throws QuorumSigningError QUORUM_MESSAGE_MALFORMED */
    decode: (body: Uint8Array): T => {
      let value: unknown;
      try {
        value = decodeCborObject(body, {
          maxBytes: MAX_PEER_BODY_BYTES,
          maxDepth: MAX_DEPTH,
          maxItems: MAX_ITEMS,
        });
      } catch (cause) {
        throw new QuorumSigningError(
          'QUORUM_MESSAGE_MALFORMED',
          'the body is not strict CBOR',
          {},
          { cause },
        );
      }
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      const path = parsed.error.issues[0]?.path.join('.');
      throw new QuorumSigningError('QUORUM_MESSAGE_MALFORMED', 'the body is not of its form', { path });
    },
  };
}

export const signCall = createCodec(signCallSchema);
export const signAnswers = createCodec(signAnswersSchema);
export const commitCall = createCodec(commitCallSchema);
export const commitAnswer = createCodec(commitAnswerSchema);
