import { createHash } from 'node:crypto';
import * as z from 'zod';
import { encodeCbor } from '../../shared/cbor/index.ts';
import { TranscriptError } from './errors.ts';
import { bytesOf, bytesUpTo, decodeBySchema, nodeNumber } from './fields.ts';
import { MAX_CERTIFICATE_BYTES, MAX_CEREMONY_KEYS, MAX_CEREMONY_NODES, MAX_PLAN_BYTES } from './limits.ts';
import { assertSigned, digestBody, encodeBody } from './message.ts';
import { decodePlan, digestPlan, type Plan } from './plan.ts';

/** Commitments of the group that each key of a plan has in the new epoch, in the plan's order. */
export type CeremonyResult = readonly (readonly Uint8Array[])[];

const signatureSchema = z.strictObject({ sender: nodeNumber, signature: bytesOf(64) });

const certificateSchema = z.strictObject({
  format: z.literal('holdfast-epoch/1'),
  /** The encoded plan. */
  plan: bytesUpTo(MAX_PLAN_BYTES),
  /** Signatures of all dealers on their `commit` messages, which are bound to the plan. */
  endorsements: z
    .array(signatureSchema.extend({ bodyDigest: bytesOf(32) }))
    .min(1)
    .max(MAX_CEREMONY_NODES),
  /** Digests of all messages `commit`, and of all messages `deal`. */
  commitments: bytesOf(32),
  deals: bytesOf(32),
  result: z
    .array(z.array(bytesUpTo(33)).min(2).max(255))
    .min(1)
    .max(MAX_CEREMONY_KEYS),
  /** Signatures of all holders on their `confirm` messages. */
  confirmations: z.array(signatureSchema).min(2).max(MAX_CEREMONY_NODES),
});

/**
 * What puts an epoch into force: every holder of the epoch has sealed its share and confirmed the same transcript, on a
 * plan that enough holders of the epoch before have signed.
 */
export type Certificate = z.infer<typeof certificateSchema>;

/** A certificate all of whose signatures have been verified with the keys that its plan names. */
export interface VerifiedCertificate {
  readonly plan: Plan;
  readonly planDigest: Uint8Array;
  readonly transcript: Uint8Array;
  readonly result: CeremonyResult;
}

export function encodeCertificate(certificate: Certificate): Uint8Array<ArrayBuffer> {
  return encodeCbor(certificate);
}

/** Decodes a certificate. @throws TranscriptError TRANSCRIPT_MALFORMED */
export function decodeCertificate(bytes: Uint8Array): Certificate {
  return decodeBySchema(certificateSchema, bytes, 'the certificate of an epoch', MAX_CERTIFICATE_BYTES);
}

/** Computes the digest of a transcript, which every holder confirms. */
export function digestTranscript(
  planDigest: Uint8Array,
  commitments: Uint8Array,
  deals: Uint8Array,
  result: CeremonyResult,
): Uint8Array {
  const encoded = encodeCbor(result.map((elements) => [...elements]));
  const hash = createHash('sha256').update('holdfast-ceremony-transcript/1\0');
  for (const part of [planDigest, commitments, deals, encoded]) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Encodes the body of a confirmation. */
export function encodeConfirmation(transcript: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeBody({ transcript });
}

/**
 * Verifies that a certificate is whole: signed by all dealers and all holders of its plan, each once, with the keys that
 * the plan names. Whether those keys are the nodes', and the dealers those of the epoch before, is the caller's to compare
 * with what it knows.
 *
 * @throws TranscriptError CEREMONY_SIGNATURE_INVALID, CEREMONY_SENDERS_WRONG, TRANSCRIPT_MALFORMED
 */
export function verifyCertificate(certificate: Certificate): VerifiedCertificate {
  const plan = decodePlan(certificate.plan);
  const planDigest = digestPlan(certificate.plan);
  const { commitments, deals, result, endorsements, confirmations } = certificate;
  assertSenders(plan.dealers, endorsements);
  assertSenders(plan.holders, confirmations);
  if (
    result.length !== plan.keys.length ||
    result.some((elements, index) => {
      const former = plan.keys[index]?.former;
      return (
        elements.length !== plan.threshold ||
        (former && !Buffer.from(elements[0] ?? []).equals(former.commitments[0] ?? new Uint8Array()))
      );
    })
  )
    throw new TranscriptError(
      'CEREMONY_RESULT_WRONG',
      'expected a group for each key, of the same public key',
    );
  const transcript = digestTranscript(planDigest, commitments, deals, result);
  const receiptKeys = new Map(plan.members.map(({ node, receiptKey }) => [node, receiptKey]));
  const keyOf = (node: number) => receiptKeys.get(node) ?? new Uint8Array();
  for (const { sender, bodyDigest, signature } of endorsements)
    assertSigned(keyOf(sender), planDigest, { step: 'commit', sender, bodyDigest, signature });
  const bodyDigest = digestBody(encodeConfirmation(transcript));
  for (const { sender, signature } of confirmations)
    assertSigned(keyOf(sender), planDigest, { step: 'confirm', sender, bodyDigest, signature });
  return { plan, planDigest, transcript, result };
}

/** Asserts that exactly these nodes have sent, in ascending order. @throws TranscriptError CEREMONY_SENDERS_WRONG */
export function assertSenders(
  expected: readonly number[],
  messages: readonly { readonly sender: number }[],
): void {
  const actual = messages.map(({ sender }) => sender);
  if (String(actual) !== String(expected)) {
    throw new TranscriptError('CEREMONY_SENDERS_WRONG', 'expected one message of each participant in order', {
      expected,
      actual,
    });
  }
}
