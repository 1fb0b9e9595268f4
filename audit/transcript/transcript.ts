import * as z from 'zod';
import { encodeCbor } from '../../shared/cbor/index.ts';
import { type Certificate, type CeremonyResult } from './certificate.ts';
import { bytesOf, bytesUpTo, decodeBySchema, nodeNumber } from './fields.ts';
import {
  MAX_CEREMONY_KEYS,
  MAX_CEREMONY_NODES,
  MAX_FORWARDED_REQUEST_BYTES,
  MAX_PLAN_BYTES,
  MAX_TRANSCRIPT_BYTES,
} from './limits.ts';
import { digestBody, digestMessages, signedMessageSchema } from './message.ts';
import { decodePlan, digestPlan } from './plan.ts';

const messages = z.array(signedMessageSchema).max(2 * MAX_CEREMONY_NODES);

const transcriptSchema = z.strictObject({
  format: z.literal('holdfast-transcript/1'),
  /** The encoded plan. */
  plan: bytesUpTo(MAX_PLAN_BYTES),
  /** The client's request as it was forwarded; null where the configuration ordered the ceremony. */
  request: bytesUpTo(MAX_FORWARDED_REQUEST_BYTES).nullable(),
  commits: messages,
  deals: messages,
  /** Commitments of the group of each key, in the plan's order. */
  result: z.array(z.array(bytesUpTo(33)).min(2).max(255)).max(MAX_CEREMONY_KEYS),
  /** Signatures on `confirm`; empty while the epoch waits for its certificate. */
  confirmations: z
    .array(z.strictObject({ sender: nodeNumber, signature: bytesOf(64) }))
    .max(MAX_CEREMONY_NODES),
});

/** Everything that the participants of a ceremony have sent each other; nothing in it is secret. */
export type Transcript = z.infer<typeof transcriptSchema>;

export function encodeTranscript(transcript: Transcript): Uint8Array<ArrayBuffer> {
  return encodeCbor(transcript);
}

/** Decodes a transcript. @throws TranscriptError TRANSCRIPT_MALFORMED */
export function decodeTranscript(bytes: Uint8Array): Transcript {
  return decodeBySchema(transcriptSchema, bytes, 'the transcript of a ceremony', MAX_TRANSCRIPT_BYTES);
}

/** Takes the certificate out of a transcript, with these confirmations or its own. */
export function extractCertificate(
  { plan, commits, deals, result, confirmations }: Transcript,
  confirmed: Certificate['confirmations'] = confirmations,
): Certificate {
  const planDigest = digestPlan(plan);
  const { dealers } = decodePlan(plan);
  return {
    format: 'holdfast-epoch/1',
    plan,
    endorsements: commits
      .filter(({ sender }) => dealers.includes(sender))
      .map(({ sender, body, signature }) => ({ sender, signature, bodyDigest: digestBody(body) })),
    commitments: digestMessages(planDigest, commits),
    deals: digestMessages(planDigest, deals),
    result: copyResult(result),
    confirmations: [...confirmed].toSorted((one, other) => one.sender - other.sender),
  };
}

/** Copies a result, so that it may be encoded. */
export function copyResult(result: CeremonyResult): Uint8Array[][] {
  return result.map((elements) => [...elements]);
}
