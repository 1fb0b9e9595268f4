import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as z from 'zod';
import { type CborEncodable, encodeCbor } from '../../shared/cbor/index.ts';
import { TranscriptError } from './errors.ts';
import { bytesOf, bytesUpTo, decodeBySchema, nodeNumber } from './fields.ts';
import { MAX_CEREMONY_KEYS, MAX_CEREMONY_NODES, MAX_DOCUMENT_BYTES, MAX_MESSAGE_BYTES } from './limits.ts';

/** Steps of a ceremony, in order; `abort` excludes `confirm`. */
export const CEREMONY_STEPS = ['commit', 'deal', 'confirm', 'abort', 'complain'] as const;
export type CeremonyStep = (typeof CEREMONY_STEPS)[number];
const LABEL = Buffer.from('holdfast-ceremony-message/1\0');

/** A message of a participant, signed by its receipt key. */
export const signedMessageSchema = z.strictObject({
  step: z.enum(CEREMONY_STEPS),
  sender: nodeNumber,
  body: bytesUpTo(MAX_MESSAGE_BYTES),
  signature: bytesOf(64),
});
export type SignedMessage = z.infer<typeof signedMessageSchema>;

const dealingSchema = z.strictObject({
  /** Commitments to the coefficients of the dealer's polynomial. */
  commitments: z.array(bytesUpTo(33)).min(2).max(255),
  /** Proofs of knowledge: of the constant term in a generation, of every other coefficient where shares are dealt anew. */
  proofs: z.array(bytesUpTo(65)).max(255),
});
export type Dealing = z.infer<typeof dealingSchema>;

/** Body of `commit`: who speaks, where its parts are to be encrypted to, what it deals. */
export const commitBodySchema = z.strictObject({
  /** Attestation document whose nonce is the plan's digest. */
  document: bytesUpTo(MAX_DOCUMENT_BYTES),
  /**
   * X25519 keys, made for this ceremony alone: one for each dealer, in the plan's order, so that a complaint about one
   * dealer opens nothing of the others. Empty for a node that will hold nothing.
   */
  recipientKeys: z.array(bytesOf(32)).max(MAX_CEREMONY_NODES),
  /** One for each key of the plan; empty for a node that does not deal. */
  dealings: z.array(dealingSchema).max(MAX_CEREMONY_KEYS),
});
export type CommitBody = z.infer<typeof commitBodySchema>;

/** Body of `deal`: the digest of all `commit` messages, and what the dealer has for each holder. */
export const dealBodySchema = z.strictObject({
  commitments: bytesOf(32),
  /** HPKE ciphertexts, one for each holder in the plan's order; empty for a node that does not deal. */
  ciphertexts: z
    .array(
      z.strictObject({
        encapsulatedKey: bytesOf(32),
        ciphertext: bytesUpTo(MAX_CEREMONY_KEYS * 32 + 16),
      }),
    )
    .max(MAX_CEREMONY_NODES),
});
export type DealBody = z.infer<typeof dealBodySchema>;

/** Body of `complain`: the private keys that open what the accused have dealt to the sender, and nothing else. */
export const complaintBodySchema = z.strictObject({
  accused: z
    .array(z.strictObject({ dealer: nodeNumber, recipientKey: bytesOf(32) }))
    .min(1)
    .max(MAX_CEREMONY_NODES),
});

/** Encodes the body of a message. */
export function encodeBody(body: CborEncodable): Uint8Array<ArrayBuffer> {
  return encodeCbor(body);
}

/** Decodes the body of a message. @throws TranscriptError TRANSCRIPT_MALFORMED */
export function decodeBody<Schema extends z.ZodType>(
  schema: Schema,
  { body, step }: SignedMessage,
): z.infer<Schema> {
  return decodeBySchema(schema, body, `the body of ${step}`, MAX_MESSAGE_BYTES);
}

export function digestBody(body: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(body).digest());
}

/** A signature on a message by the digest of its body. */
export interface MessageSignature {
  readonly step: CeremonyStep;
  readonly sender: number;
  readonly bodyDigest: Uint8Array;
  readonly signature: Uint8Array;
}

/** Encodes what is signed: the ceremony by its plan, the step, the sender and the digest of the body. */
function encodeSigned(
  planDigest: Uint8Array,
  { step, sender, bodyDigest }: Omit<MessageSignature, 'signature'>,
): Buffer {
  return Buffer.concat([LABEL, planDigest, Uint8Array.of(CEREMONY_STEPS.indexOf(step), sender), bodyDigest]);
}

/** Signs a message for a ceremony. */
export function signMessage(
  key: KeyObject,
  planDigest: Uint8Array,
  { step, sender, body }: Omit<SignedMessage, 'signature'>,
): SignedMessage {
  const signature = sign(null, encodeSigned(planDigest, { step, sender, bodyDigest: digestBody(body) }), key);
  return { step, sender, body, signature: new Uint8Array(signature) };
}

/** Asserts that a node has signed a message for a ceremony. @throws TranscriptError CEREMONY_SIGNATURE_INVALID */
export function assertSigned(
  receiptKey: Uint8Array,
  planDigest: Uint8Array,
  { signature, ...message }: MessageSignature,
): void {
  const key = createPublicKey({
    key: Buffer.from(receiptKey),
    format: 'raw-public',
    asymmetricKeyType: 'ed25519',
  });
  if (verify(null, encodeSigned(planDigest, message), key, signature)) return;
  throw new TranscriptError('CEREMONY_SIGNATURE_INVALID', 'the signature does not verify', {
    culprits: [message.sender],
    step: message.step,
  });
}

/** Computes the SHA-256 of the messages of one step, by ascending sender. */
export function digestMessages(planDigest: Uint8Array, messages: readonly SignedMessage[]): Uint8Array {
  const hash = createHash('sha256').update('holdfast-ceremony-messages/1\0').update(planDigest);
  for (const { step, sender, body, signature } of messages) {
    hash.update(Uint8Array.of(CEREMONY_STEPS.indexOf(step), sender));
    hash.update(digestBody(body)).update(signature);
  }
  return new Uint8Array(hash.digest());
}
